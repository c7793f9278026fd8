"""The rules of every vault, on both versions of KV and in a namespace; and the faults of HTTP."""

import json
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.vault import VaultConformance
from sre_core.testing.replay import HttpReply
from sre_hashicorp import HashicorpSettings, HashicorpVault

from .bao_servers import Bao  # noqa: TID252

pytestmark = pytest.mark.integration


class _OnBao(VaultConformance):
    changes: ClassVar[dict[str, Any]]

    @pytest.fixture(autouse=True)
    def _server(self, shared_bao: Bao) -> None:
        self.bao = shared_bao

    def make(self) -> HashicorpVault:
        return self.bao.vault(**self.changes)

    def make_broken(self) -> HashicorpVault:
        return self.bao.vault(**self.changes, token="s.a-token-that-nobody-made")


class TestVersion1(_OnBao):
    changes: ClassVar[dict[str, Any]] = {"mount": "kv1", "prefix": "kit", "pool_size": 20}


class TestVersion2(_OnBao):
    changes: ClassVar[dict[str, Any]] = {"mount": "secret", "prefix": "kit/deeper"}


class TestAppRole(VaultConformance):
    @pytest.fixture(autouse=True)
    def _server(self, shared_bao: Bao) -> None:
        self.bao = shared_bao
        self.role = shared_bao.role("kit", token_ttl="1h")

    def make(self) -> HashicorpVault:
        return self.bao.vault(prefix="kit-approle", kv_version=2, **self.role)

    def make_broken(self) -> HashicorpVault:
        return self.bao.vault(**{**self.role, "secret_id": "a-secret-id-that-nobody-made"})


@pytest.fixture(scope="module")
def bao_with_namespace(shared_bao: Bao) -> Bao:
    """The shared server, with the namespace "kit/deeper"."""
    shared_bao.namespace("kit")
    shared_bao.namespace("kit/deeper")
    return shared_bao


class TestNamespace(_OnBao):
    changes: ClassVar[dict[str, Any]] = {"namespace": "kit/deeper"}

    @pytest.fixture(autouse=True)
    def _server(self, bao_with_namespace: Bao) -> None:
        self.bao = bao_with_namespace


class Faults(HttpFaultConformance):
    """Part of the classes below."""

    def make_at(self, url: str) -> HashicorpVault:
        return HashicorpVault(HashicorpSettings(url=url, token=self.secret, kv_version=2, retries=0))

    async def call(self, connector: HashicorpVault) -> None:
        secret = await connector.get("name")
        assert secret.get_secret_value() == "value-of-the-secret"

    def good(self) -> HttpReply:
        metadata = {"created_time": "2018-03-22T02:24:06.945319214Z", "deletion_time": "", "destroyed": False}
        data = {"data": {"value": "value-of-the-secret"}, "metadata": {**metadata, "version": 2}}
        return HttpReply.json({"request_id": "1", "lease_duration": 0, "renewable": False, "data": data})


class TestFaults(Faults):
    """From the first request on, a question after the token."""


class TestLoginFaults(Faults):
    """The first request is a login."""

    def make_at(self, url: str) -> HashicorpVault:
        role = {"role_id": "kit", "secret_id": self.secret}
        return HashicorpVault(HashicorpSettings.model_validate({"url": url, **role, "kv_version": 2, "retries": 0}))

    def good(self) -> HttpReply:
        # The answer to a login, and a secret at the same time.
        body = json.loads(super().good().pieces[0])
        return HttpReply.json({**body, "auth": {"client_token": "s.kit", "lease_duration": 3600, "renewable": True}})


class CallFaults(Faults):
    """The question after the token is answered well."""

    ready: ClassVar = {"/v1/auth/token/lookup-self": HttpReply.json({"data": {"ttl": 0, "renewable": False}})}


class TestGetFaults(CallFaults):
    pass


class TestSetFaults(CallFaults):
    async def call(self, connector: HashicorpVault) -> None:
        await connector.set("name", SecretStr("value-of-the-secret"))

    def good(self) -> HttpReply:
        data = {"created_time": "2018-03-22T02:36:43.986212308Z", "deletion_time": "", "destroyed": False, "version": 1}
        return HttpReply.json({"request_id": "1", "lease_duration": 0, "renewable": False, "data": data})


class TestDeleteFaults(CallFaults):
    async def call(self, connector: HashicorpVault) -> None:
        await connector.delete("name")

    def good(self) -> HttpReply:
        return HttpReply(status=204)


class TestNamesFaults(CallFaults):
    def make_at(self, url: str) -> HashicorpVault:
        made = super().make_at(url)
        # The crowd of the kit asks for as many folders at once.
        return HashicorpVault(made.settings.model_copy(update={"lists": self.crowd}))

    async def call(self, connector: HashicorpVault) -> None:
        assert await connector.names() == ["name"]

    def good(self) -> HttpReply:
        return HttpReply.json({"request_id": "1", "lease_duration": 0, "data": {"keys": ["name"]}})
