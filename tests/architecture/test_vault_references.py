"""Every secret of every connector can be written as `{ vault = "name" }`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import SecretBytes, SecretStr, field_validator

from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.config import load
from sre_core.connectors.base import Service
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_core.testing.conformance import observe
from tests.architecture.tree import ROOT

pytestmark = pytest.mark.anyio

PLUGINS = [path.parent.name.removeprefix("sre-") for path in ROOT.glob("plugins/*/pyproject.toml")]
SECRET = "secret-of-the-vault-1729"
REFERENCE = {"vault": "tested"}

KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "an-example"}
# What a connector needs besides its secret: always, or because of it.
NEEDED: dict[str, dict[str, Any]] = {
    "s3": {"bucket": "b", **KEYS},
    "aws-secrets": KEYS,
    "bedrock": KEYS,
    "azure": {"container": "c"},
    "azure.account_key": {"account": "a"},
    "azure.sas_token": {"account": "a"},
    "gcs": {"bucket": "b"},
    "google.credentials": {"backend": "vertex"},
    "hashicorp.secret_id": {"role_id": "r"},
    "milvus": {"uri": "http://127.0.0.1:19530"},
    "milvus.password": {"user": "u"},
}


def shape(annotation: Any) -> Any:
    """How a reference is written in a setting of that type; None for a type that holds no secret."""
    if annotation in (SecretStr, SecretBytes):
        return REFERENCE
    inside = next((found for part in get_args(annotation) if (found := shape(part)) is not None), None)
    kind = get_origin(annotation)
    if inside is None or not isinstance(kind, type):
        return inside
    return {"one": inside} if issubclass(kind, Mapping) else [inside] if issubclass(kind, Sequence) else inside


def secret_settings(plugins: Plugins) -> list[tuple[Service, str, str]]:
    return [
        (service, name, field)
        for (service, name), kind in plugins.connectors.items()
        for field, info in kind.settings_type.model_fields.items()
        if shape(info.annotation) is not None
    ]


async def resolved(plugins: Plugins, service: Service, name: str, field: str, folder: Path) -> list[str]:
    """The secrets that a connector finds in that setting when a runtime starts it."""
    kind, found = plugins.connectors[service, name], []

    async def start(self: Any) -> None:
        found.append(self.settings)

    needed = NEEDED.get(name, {}) | NEEDED.get(f"{name}.{field}", {})
    reference = shape(kind.settings_type.model_fields[field].annotation)
    connectors: dict[str, Any] = {"vault": {"default": {"use": "env"}}}
    connectors.setdefault(service.value, {})["tested"] = {"use": name, **needed, field: reference}
    config = load(folder, {}, {"data": str(folder), "connectors": connectors}).config
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "start", start)
        patch.setenv("TESTED_API_KEY", SECRET)
        async with Runtime(config, plugins=plugins) as runtime:
            await runtime.connectors.get(service, "tested").start()
    (settings,) = found
    return [secret for _, secret in observe.secrets(getattr(settings, field), field)]


INSTALLED = Plugins.load(only=PLUGINS)


@pytest.mark.parametrize(("service", "name", "field"), secret_settings(INSTALLED))
async def test_a_secret_comes_from_the_vault(service, name, field, tmp_path):
    assert await resolved(INSTALLED, service, name, field, tmp_path) == [SECRET]


def test_the_secrets_of_all_plugins_are_looked_at():
    assert {info.name for info in INSTALLED.infos if info.error is None} >= set(PLUGINS)
    found = {f"{name}.{field}" for _, name, field in secret_settings(INSTALLED)}
    assert {"file.passphrase", "pinecone.key", "openai.headers", "redis.sentinel_password"} <= found
    assert {key for key in NEEDED if "." in key} <= found, "what a setting needs that is not there"


class LosesItsSecrets:
    """A plugin whose settings read what a printed secret shows."""

    @hookimpl
    def register_connectors(self):
        class LosingSettings(MemoryCacheSettings):
            key: SecretStr | None = None
            keys: tuple[SecretStr, ...] = ()
            headers: Mapping[str, Sequence[SecretStr]] = {}

            @field_validator("key", mode="before")
            @classmethod
            def _trimmed(cls, value):
                return str(value).strip()

        class Losing(MemoryCache):
            """Loses its key, and keeps the others."""

            name = "losing"
            settings_type = LosingSettings

        return [Losing]


async def test_a_connector_that_loses_its_secret_would_be_found(tmp_path):
    plugins = Plugins.load(only=[], extra={"losing": LosesItsSecrets()})
    fields = [field for _, name, field in secret_settings(plugins) if name == "losing"]
    assert fields == ["key", "keys", "headers"]
    found = {field: await resolved(plugins, Service.CACHE, "losing", field, tmp_path) for field in fields}
    assert found == {"key": [str(SecretStr(SECRET))], "keys": [SECRET], "headers": [SECRET]}
