"""A secret that a node names is the agent's, where it was granted one, else its team's."""

from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.builtin import FileVault
from sre_core.components.context import ComponentContext
from sre_core.components.secret import find_secret
from sre_core.components.template import read_secret
from sre_core.errors import (
    AccessDeniedError,
    ConfigError,
    ConnectorError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench

TEAMS = "team/default/weather"


async def found(name: str, context: ComponentContext) -> tuple[str, str]:
    secret = await find_secret(name, context)
    assert secret.value.get_secret_value() not in repr(secret)
    return secret.name, secret.value.get_secret_value()


async def test_what_was_granted_comes_before_what_the_team_has() -> None:
    async with bench(secrets={"weather": "mine", TEAMS: "ours"}) as b:
        assert await found("weather", b.context) == ("weather", "mine")


async def test_the_teams_secret_needs_no_grant() -> None:
    async with bench(secrets={TEAMS: "ours"}, config={"access": {f"vault/{TEAMS}": {"user:bench": "own"}}}) as b:
        assert await found("weather", b.context) == (TEAMS, "ours")
        assert await read_secret(" weather ", b.context) == "ours"


async def test_a_secret_that_is_denied_hides_nothing_of_the_teams() -> None:
    others = {"access": {"vault/weather": {"user:bench": "own"}}}
    async with bench(secrets={"weather": "another's", TEAMS: "ours"}, config=others) as b:
        assert await found("weather", b.context) == (TEAMS, "ours")


async def test_a_grant_without_a_secret_hides_nothing_of_the_teams() -> None:
    async with bench(secrets={TEAMS: "ours"}, config={"access": {"vault/weather": {"agent:a1": "read"}}}) as b:
        assert await found("weather", b.context) == (TEAMS, "ours")


async def test_another_teams_secret_is_nobodys_here() -> None:
    others = {"access": {"vault/team/ops/weather": {"user:bench": "own"}}}
    async with bench(secrets={"team/ops/weather": "theirs"}, config=others) as b:
        for name in ("weather", "team/ops/weather"):
            with pytest.raises(AccessDeniedError):
                await find_secret(name, b.context)


async def test_what_is_nowhere_is_denied_with_both_ways_to_give_it() -> None:
    async with bench() as b:
        with pytest.raises(AccessDeniedError, match="agent:a1 may not read 'vault/weather'") as denied:
            await find_secret("weather", b.context)
    assert '"vault/weather" = { "agent:a1" = "read" }' in str(denied.value.hint)
    assert str(denied.value.hint).endswith("; or keep it as the secret of its team: sre vault set team/default/weather")


async def test_what_is_granted_and_nowhere_is_not_found() -> None:
    async with bench(config={"access": {"vault/my key": {"agent:a1": "read"}}}) as b:
        with pytest.raises(NotFoundError, match="'my key'") as missing:
            await find_secret("my key", b.context)
    assert str(missing.value.hint).endswith("sre vault set 'team/default/my key'")


async def test_a_vault_that_cannot_be_written_to_gets_no_command() -> None:
    config = {"connectors": {"vault": {"default": {"use": "env"}}}}
    async with bench(config=config) as b:
        with pytest.raises(AccessDeniedError) as denied:
            await find_secret("weather", b.context)
    assert str(denied.value.hint).endswith("; or keep it as the secret of its team, as 'team/default/weather'")


async def test_a_veto_is_a_denial_even_where_the_agent_was_granted_nothing_that_exists() -> None:
    class Closed:
        @hookimpl
        def veto_access(self, request: Any) -> str | None:
            return "closed today" if "team" in request.resource.parts else None

    plugins = Plugins.load(only=[], extra={"closed": Closed()})
    async with bench(config={"access": {"vault/weather": {"agent:a1": "read"}}}, plugins=plugins) as b:
        with pytest.raises(AccessDeniedError, match="closed today"):
            await find_secret("weather", b.context)


@pytest.mark.parametrize("name", ["agent/a1/token", "a/b", "team/default/token"])
async def test_a_name_with_a_slash_is_looked_up_as_it_is(name: str) -> None:
    config = {"access": {f"vault/team/default/{name}": {"user:bench": "own"}}}
    async with bench(secrets={f"team/default/{name}": "composed"}, config=config) as b:
        with pytest.raises((AccessDeniedError, NotFoundError)) as refused:
            await find_secret(name, b.context)
    assert "of its team" not in str(refused.value.hint)


@pytest.mark.parametrize("name", ["", "..", "a\nb", "a\\b"])
async def test_an_illegal_name_is_no_secret(name: str) -> None:
    async with bench() as b:
        with pytest.raises((AccessDeniedError, ConfigError)) as refused:
            await find_secret(name, b.context)
    assert "of its team" not in str(refused.value.hint)


@pytest.mark.parametrize("error", [UnavailableError, UnauthenticatedError, ConnectorError])
@pytest.mark.parametrize("fails", ["weather", TEAMS])
async def test_a_vault_that_fails_is_no_vault_without_the_secret(error: type[ConnectorError], fails: str) -> None:
    class Failing:
        @hookimpl
        def register_connectors(self) -> list[type]:
            return [FailingVault]

    class FailingVault(FileVault):
        """Fails at one name, and has the other."""

        name = "failing"

        async def get(self, name: str) -> SecretStr:
            if name == fails:
                raise error("the vault is on fire", hint="run")
            return await super().get(name)

    config = {
        "connectors": {"vault": {"default": {"use": "failing", "cost": 14}}},
        "access": {"vault/weather": {"agent:a1": "read"}},
    }
    async with bench(config=config, plugins=Plugins.load(only=[], extra={"failing": Failing()})) as b:
        with pytest.raises(error, match="on fire") as failed:
            await find_secret("weather", b.context)
    assert type(failed.value) is error
    assert failed.value.hint == "run"
