"""A server that is not there, not initialised, sealed, killed and started again."""

import asyncio

import pytest
from pydantic import SecretStr

from sre_core.errors import UnavailableError
from sre_core.testing.servers import free_port
from sre_hashicorp import HashicorpSettings, HashicorpVault
from sre_hashicorp.replies import Reply, health

from .bao_servers import Bao  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def unavailable(call):
    with pytest.raises(UnavailableError) as raised:
        await call
    return raised.value


async def test_a_server_that_is_down_at_start_is_unavailable_and_named(started):
    url = f"http://127.0.0.1:{free_port()}"
    error = await unavailable(started(HashicorpVault(HashicorpSettings(url=url, token="s.any", retries=0))))
    assert url in str(error)


@pytest.mark.slow
async def test_a_server_is_told_apart_before_and_after_it_is_initialised_and_while_it_is_sealed(tmp_path, started):
    bao = Bao(tmp_path / "bao")
    with bao.process:
        early = HashicorpVault(HashicorpSettings(url=bao.url, token="s.not-made-yet", retries=0))
        error = await unavailable(started(early))
        assert "sealed" in str(error), "a server without keys says that it is sealed"
        bao.initialise()
        bao.prepare()
        connector = await started(bao.vault())
        await connector.set("first", SecretStr("secret"))
        await connector.ping()
        bao.client.sys.seal()
        for call in (
            connector.get("first"),
            connector.set("first", SecretStr("other")),
            connector.delete("first"),
            connector.names(),
            connector.ping(),
            started(bao.vault()),
        ):
            error = await unavailable(call)
            assert f"the vault at {bao.url} is sealed" in str(error)
            assert "unseal" in error.hint
        bao.unseal()
        await connector.ping()
        assert (await connector.get("first")).get_secret_value() == "secret"


@pytest.mark.slow
async def test_a_server_that_dies_and_comes_back_has_kept_everything(bao, started):
    connector = await started(bao.vault(**bao.role("agents", token_ttl="1h")))
    await connector.set("kept", SecretStr("secret"))
    bao.process.kill()
    for call in (connector.get("kept"), connector.set("kept", SecretStr("new")), connector.names(), connector.ping()):
        await unavailable(call)
    bao.process.start()
    error = await unavailable(connector.get("kept"))
    assert "sealed" in str(error)
    bao.unseal()
    assert (await connector.get("kept")).get_secret_value() == "secret"
    await connector.set("kept", SecretStr("new"))
    assert await connector.names() == ["kept"]


@pytest.mark.slow
async def test_a_call_made_while_the_server_starts_waits_for_it(bao, started):
    connector = await started(bao.vault(retries=1000, retry_wait=0.02, timeout=60))
    bao.process.kill()
    call = asyncio.ensure_future(connector.get("any"))
    await asyncio.to_thread(bao.process.start)
    # A server that was just started is sealed, which is an answer.
    assert "is sealed" in str(await unavailable(call))


async def test_a_server_that_is_not_initialised_says_so(tmp_path):
    bao = Bao(tmp_path / "bao")
    with bao.process:
        reply = await asyncio.to_thread(bao.client.sys.read_health_status, method="GET")
        found = Reply(status=501, headers={}, body=reply if isinstance(reply, dict) else reply.json())
        with pytest.raises(UnavailableError, match="not initialised") as raised:
            health(found, "vault")
        assert "operator init" in raised.value.hint
