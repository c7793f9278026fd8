"""Tokens that end, are revoked, renewed and replaced; and those that were never any good."""

import asyncio
import logging
import time

import hvac
import pytest
from pydantic import SecretStr

from sre_core.errors import ConfigError, DeadlineError, UnauthenticatedError, UnavailableError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_hashicorp import HashicorpSettings, HashicorpVault

from .bao_servers import until  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module", autouse=True)
def secret(shared_bao):
    """Something to read."""
    shared_bao.client.secrets.kv.v2.create_or_update_secret("tokens/one", {"value": "secret"})


def lookup(bao, token):
    """What the server knows of a token, None when it knows it no longer."""
    try:
        return bao.client.auth.token.lookup(token)["data"]
    except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest):
        return None


async def read(connector):
    return (await connector.get("tokens/one")).get_secret_value()


async def test_a_wrong_token_is_refused_at_start(shared_bao, started):
    with pytest.raises(UnauthenticatedError, match="refused our token") as raised:
        await started(shared_bao.vault(token="s.wrong-and-secret"))
    assert "wrong-and-secret" not in f"{raised.value} {raised.value!r} {raised.value.hint}"
    with pytest.raises(UnauthenticatedError):
        await started(shared_bao.vault(token="s.wrong-and-secret", kv_version=2))


async def test_a_token_that_has_expired_is_refused(shared_bao, started):
    token = shared_bao.token(ttl="1s", renewable=False)
    connector = await started(shared_bao.vault(token=token))
    assert await read(connector) == "secret"
    await until(lambda: asyncio.to_thread(lambda: lookup(shared_bao, token) is None))
    for call in (
        connector.get("tokens/one"),
        connector.names(),
        connector.set("new", SecretStr("x")),
        connector.ping(),
    ):
        with pytest.raises(UnauthenticatedError):
            await call


async def test_a_token_is_renewed_before_it_ends(shared_bao, started):
    token = shared_bao.token(ttl="2s")
    connector = await started(shared_bao.vault(token=token, renew_after=0.1))

    async def renewed():
        data = await asyncio.to_thread(lookup, shared_bao, token)
        assert data is not None, "the token ended"
        return "last_renewal_time" in data and data["last_renewal_time"] > data["creation_time"] + 2

    await until(renewed)
    assert await read(connector) == "secret"
    await connector.stop()
    await until(lambda: asyncio.to_thread(lambda: lookup(shared_bao, token) is None))


@pytest.mark.slow
@pytest.mark.parametrize("outage", ["frozen", "sealed"])
async def test_a_token_outlives_an_outage_in_which_it_should_have_been_renewed(bao, started, caplog, outage):
    caplog.set_level(logging.WARNING, logger="sre")
    bao.client.secrets.kv.v2.create_or_update_secret("tokens/one", {"value": "secret"})
    connector = await started(bao.vault(**bao.role("patient", token_ttl="20s"), renew_after=0.01, timeout=2))
    tokens = bao.tokens_of("patient")
    (accessor,) = tokens
    bao.process.freeze() if outage == "frozen" else bao.client.sys.seal()
    await until(lambda: _turn(lambda: "vault_token_not_renewed" in caplog.text))
    with pytest.raises(UnavailableError if outage == "sealed" else DeadlineError):
        await read(connector)
    bao.process.thaw() if outage == "frozen" else bao.unseal()
    over = time.time()

    async def renewed():
        data = (await asyncio.to_thread(bao.client.auth.token.lookup_accessor, accessor))["data"]
        return data.get("last_renewal_time", 0) > over

    await until(renewed)
    assert await read(connector) == "secret"
    assert bao.tokens_of("patient") == tokens


async def test_a_role_whose_token_has_lived_its_life_gets_another(shared_bao, started):
    role = shared_bao.role("short-lived", token_ttl="2s", token_max_ttl="3s")
    connector = await started(shared_bao.vault(**role))
    first = shared_bao.tokens_of("short-lived")
    assert len(first) == 1

    async def replaced():
        assert await read(connector) == "secret", "there was a moment without a token"
        return not first & await asyncio.to_thread(shared_bao.tokens_of, "short-lived")

    await until(replaced)
    assert await read(connector) == "secret"


async def test_of_many_calls_with_a_revoked_token_one_logs_in_for_all(shared_bao, started):
    connector = await started(shared_bao.vault(**shared_bao.role("revoked", token_ttl="1h")))
    (accessor,) = shared_bao.tokens_of("revoked")
    shared_bao.client.auth.token.revoke_accessor(accessor)
    assert await asyncio.gather(*(read(connector) for _ in range(20))) == ["secret"] * 20
    assert len(shared_bao.tokens_of("revoked")) == 1
    await connector.ping()


async def test_what_a_living_token_may_not_do_is_no_reason_to_log_in_again(shared_bao, started):
    shared_bao.client.sys.create_or_update_policy("reader", 'path "secret/*" { capabilities = ["read"] }')
    role = shared_bao.role("narrow", token_ttl="1h")
    shared_bao.client.auth.approle.create_or_update_approle("narrow", token_policies=["reader"], token_ttl="1h")
    connector = await started(shared_bao.vault(**role))
    before = shared_bao.tokens_of("narrow")
    assert await read(connector) == "secret"
    for call in (connector.set("tokens/one", SecretStr("x")), connector.delete("tokens/one"), connector.names()):
        with pytest.raises(UnauthenticatedError) as raised:
            await call
        assert "policies" in raised.value.hint
    assert shared_bao.tokens_of("narrow") == before


async def test_tokens_that_may_not_ask_about_themselves_are_told_from_those_that_ended(shared_bao, started):
    shared_bao.client.sys.create_or_update_policy("reader", 'path "secret/*" { capabilities = ["read"] }')
    rights = {"token_policies": ["reader"], "token_no_default_policy": True, "token_ttl": "1h"}
    role = shared_bao.role("silent")
    shared_bao.client.auth.approle.create_or_update_approle("silent", **rights)
    connector = await started(shared_bao.vault(kv_version=2, **role))
    await connector.ping()
    (accessor,) = shared_bao.tokens_of("silent")
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            await connector.set("tokens/one", SecretStr("x"))
    assert shared_bao.tokens_of("silent") == {accessor}
    shared_bao.client.auth.token.revoke_accessor(accessor)
    assert await read(connector) == "secret"
    await connector.ping()


async def test_a_wrong_secret_id_is_refused_credentials(shared_bao, started):
    role = shared_bao.role("proved")
    with pytest.raises(UnauthenticatedError, match="refused the login") as raised:
        await started(shared_bao.vault(role_id=role["role_id"], secret_id="hunter2-hunter2"))
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"
    with pytest.raises(UnauthenticatedError, match="refused the login"):
        await started(shared_bao.vault(role_id="nobody", secret_id=role["secret_id"]))


async def test_a_role_may_need_no_secret_id(shared_bao, started):
    roles = shared_bao.client.auth.approle
    bounds = {"bind_secret_id": False, "token_bound_cidrs": ["127.0.0.1/32"]}
    roles.create_or_update_approle("open", token_policies=["secrets"], **bounds)
    connector = await started(shared_bao.vault(role_id=roles.read_role_id("open")["data"]["role_id"]))
    assert await read(connector) == "secret"


async def test_a_login_that_is_mounted_elsewhere_is_found_there(shared_bao, started):
    roles = shared_bao.client.auth.approle
    shared_bao.client.sys.enable_auth_method("approle", path="machines/robots")
    roles.create_or_update_approle("robot", token_policies=["secrets"], mount_point="machines/robots")
    role = {
        "role_id": roles.read_role_id("robot", mount_point="machines/robots")["data"]["role_id"],
        "secret_id": roles.generate_secret_id("robot", mount_point="machines/robots")["data"]["secret_id"],
    }
    with pytest.raises(UnauthenticatedError) as raised:
        await started(shared_bao.vault(**role))
    assert "auth_mount" in raised.value.hint
    connector = await started(shared_bao.vault(**role, auth_mount="machines/robots"))
    assert await read(connector) == "secret"


async def test_a_token_in_a_file_is_read_again_when_it_is_no_longer_taken(shared_bao, started, tmp_path):
    file = tmp_path / "token"
    first, second = shared_bao.token(ttl="1h"), shared_bao.token(ttl="1h")
    file.write_text(f"{first}\n")
    connector = await started(shared_bao.vault(token_file=file))
    assert await read(connector) == "secret"
    shared_bao.client.auth.token.revoke(first)
    with pytest.raises(UnauthenticatedError):
        await connector.get("tokens/one")
    file.write_text(second)
    assert await read(connector) == "secret"


async def test_a_file_that_holds_no_token_is_said_to_hold_none(shared_bao, started, tmp_path):
    with pytest.raises(ConfigError, match="token_file"):
        await started(shared_bao.vault(token_file=tmp_path / "missing"))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UnauthenticatedError, match="is empty"):
        await started(shared_bao.vault(token_file=tmp_path / "empty"))


@pytest.mark.parametrize("text", ["s.one\ns.two", "s.one\x00", "s.\u00e9"])
async def test_a_token_with_letters_that_none_has_is_a_wrong_setting(shared_bao, started, tmp_path, text):
    file = tmp_path / "token"
    file.write_text(text)
    for changes, setting in (({"token": text}, "token"), ({"token_file": file}, "token_file")):
        with pytest.raises(ConfigError, match=setting) as raised:
            await started(shared_bao.vault(**changes))
        assert "s.one" not in f"{raised.value} {raised.value!r} {raised.value.hint}"


async def test_a_server_that_gives_no_time_is_not_asked_without_pause(started):
    login = HttpReply.json({"auth": {"client_token": "s.x", "lease_duration": 0.001, "renewable": True}})
    async with ReplayServer.running(always=login) as server:
        settings = HashicorpSettings(url=server.url, role_id="any", kv_version=2, renew_after=0.01)
        await started(HashicorpVault(settings))
        asked = len(server.requests)
        # Nothing is left to do but to wait: what is asked now would be asked without end.
        for _ in range(500):
            await asyncio.sleep(0)
        assert len(server.requests) == asked


async def test_stop_that_is_cancelled_closes_all_connections(shared_bao, started):
    async with FaultProxy.before(shared_bao.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        connector = await started(shared_bao.vault(url=url, **shared_bao.role("cancelled")))
        stop = asyncio.ensure_future(connector.stop())
        await asyncio.sleep(0)
        stop.cancel()
        await asyncio.wait({stop})
        async with asyncio.timeout(120):
            await proxy.wait_until_open(0)


async def test_a_token_that_may_not_ask_about_itself_works(shared_bao, started):
    token = shared_bao.token(no_default_policy=True)
    connector = await started(shared_bao.vault(token=token, kv_version=2))
    assert await read(connector) == "secret"
    await connector.ping()


async def test_a_token_that_cannot_be_renewed_is_announced(shared_bao, started, caplog):
    caplog.set_level(logging.WARNING, logger="sre")
    token = shared_bao.token(ttl="3s", renewable=False)
    await started(shared_bao.vault(token=token, renew_after=0.05))
    await until(lambda: _turn(lambda: "vault_token_ends" in caplog.text))
    assert token not in caplog.text


async def _turn(done):
    await asyncio.sleep(0)
    return done()
