"""EnvVault keeps the rules of a vault, and finds variables by the rule that it documents."""

import os
from types import MappingProxyType

import pytest

from sre_core.builtin.env_vault import EnvVault, EnvVaultSettings
from sre_core.errors import NotFoundError
from sre_core.testing.conformance.vault import VaultConformance


class TestEnvVault(VaultConformance):
    known = MappingProxyType({"team/ops/token": "ops-token-1234", "openai": "sk-openai-1234"})

    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch):
        monkeypatch.setenv("OPS_TOKEN", "ops-token-1234")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-1234")

    def make(self):
        return EnvVault(EnvVaultSettings(names={"team/ops/token": "OPS_TOKEN"}))


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for variable in list(os.environ):
        if variable.endswith("_API_KEY"):
            monkeypatch.delenv(variable)


def vault_of(**names: str) -> EnvVault:
    return EnvVault(EnvVaultSettings(names=names))


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("openai", "OPENAI"),
        ("OpenAI", "OPENAI_API_KEY"),
        ("together.ai", "TOGETHER_AI_API_KEY"),
        ("my-db password", "MY_DB_PASSWORD"),
        ("openai_api_key", "OPENAI_API_KEY"),
        ("caf\u00e9", "CAF__API_KEY"),
    ],
)
async def test_a_name_means_a_variable_in_capitals(monkeypatch, name, variable):
    monkeypatch.setenv(variable, "a-secret")
    assert (await vault_of().get(name)).get_secret_value() == "a-secret"


async def test_the_api_key_comes_before_the_plain_variable(monkeypatch):
    monkeypatch.setenv("OPENAI", "plain")
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    assert (await vault_of().get("openai")).get_secret_value() == "key"


async def test_an_explicit_name_is_looked_up_in_its_variable_alone(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    vault = vault_of(openai="OTHER")
    with pytest.raises(NotFoundError) as missing:
        await vault.get("openai")
    assert missing.value.hint == "set OTHER"
    monkeypatch.setenv("OTHER", "other")
    assert (await vault.get("openai")).get_secret_value() == "other"


async def test_a_name_in_a_home_never_means_a_variable_by_itself(monkeypatch):
    # The homes of the agents "a" and "a-b" would both come to AGENT_A_B_C.
    for variable in ("AGENT_A_B_C", "AGENT_A_B_C_API_KEY", "AGENT/A/B_C"):
        monkeypatch.setenv(variable, "of-another-agent")
    for name in ("agent/a/b_c", "agent/a-b/c", "agent/a"):
        with pytest.raises(NotFoundError, match=name):
            await vault_of().get(name)


async def test_an_empty_variable_counts_as_missing(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("OTHER", "")
    vault = vault_of(other="OTHER")
    assert await vault.names() == []
    for name in ("openai", "other"):
        with pytest.raises(NotFoundError):
            await vault.get(name)


async def test_a_missing_secret_says_which_variables_to_set():
    with pytest.raises(NotFoundError, match="'openai'") as missing:
        await vault_of().get("openai")
    assert missing.value.hint == "set OPENAI_API_KEY or OPENAI"


async def test_names_are_the_explicit_ones_and_the_api_keys(monkeypatch):
    for variable in ("OPENAI_API_KEY", "ACME", "_API_KEY", "small_API_KEY"):
        monkeypatch.setenv(variable, "a-secret")
    vault = vault_of(acme="ACME", absent="ABSENT")
    assert await vault.names() == ["acme", "openai"]


async def test_a_variable_that_is_set_later_is_seen(monkeypatch):
    vault = vault_of()
    await vault.start()
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    assert (await vault.get("openai")).get_secret_value() == "first"
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    assert (await vault.get("openai")).get_secret_value() == "second"
