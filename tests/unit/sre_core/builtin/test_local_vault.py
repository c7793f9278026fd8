"""LocalVault keeps the rules of a vault, and asks the environment before the file."""

import pytest
from pydantic import SecretStr

from sre_core.builtin.local_vault import LocalVault, LocalVaultSettings
from sre_core.builtin.sealed import MIN_COST
from sre_core.errors import NotFoundError
from sre_core.testing.conformance.vault import VaultConformance

PASSPHRASE = SecretStr("correct horse battery")


class TestLocalVault(VaultConformance):
    def make(self):
        return LocalVault(LocalVaultSettings(path=self.folder / "vault", passphrase=PASSPHRASE, cost=MIN_COST))


@pytest.fixture
async def vault(tmp_path):
    names = {"team/ops/token": "OPS_TOKEN"}
    vault = LocalVault(LocalVaultSettings(path=tmp_path / "vault", passphrase=PASSPHRASE, cost=MIN_COST, names=names))
    await vault.start()
    yield vault
    await vault.stop()


async def test_the_environment_hides_what_the_file_holds(vault, monkeypatch):
    await vault.set("openai", SecretStr("from the file"))
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    assert (await vault.get("openai")).get_secret_value() == "from the environment"
    monkeypatch.delenv("OPENAI_API_KEY")
    assert (await vault.get("openai")).get_secret_value() == "from the file"


async def test_deleting_leaves_the_environment_alone(vault, monkeypatch):
    monkeypatch.setenv("OPS_TOKEN", "from the environment")
    await vault.delete("team/ops/token")
    assert (await vault.get("team/ops/token")).get_secret_value() == "from the environment"


async def test_names_are_those_of_both_places(vault, monkeypatch):
    monkeypatch.setenv("OPS_TOKEN", "from the environment")
    await vault.set("acme", SecretStr("from the file"))
    assert {"acme", "team/ops/token"} <= set(await vault.names())


async def test_a_secret_that_is_nowhere_names_both_places_to_put_it(vault, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(NotFoundError, match="'openai'") as missing:
        await vault.get("openai")
    assert "OPENAI_API_KEY" in (missing.value.hint or "")
    assert "sre vault set openai" in (missing.value.hint or "")


async def test_the_source_of_a_name_is_told(vault, monkeypatch):
    monkeypatch.setenv("OPS_TOKEN", "from the environment")
    await vault.set("acme", SecretStr("from the file"))
    sources = [await vault.source(name) for name in ("team/ops/token", "acme", "absent")]
    assert sources == ["environment", "file", "nowhere"]
