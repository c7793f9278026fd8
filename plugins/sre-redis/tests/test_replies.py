"""What a real server answers when it does not do what it is asked for."""

import asyncio

import pytest

from sre_core.errors import ConfigError, ConflictError, ConnectorError, UnauthenticatedError, UnavailableError
from sre_core.testing.servers import free_port

from .redis_servers import cli, redis_server, until_it_works, wait_for_reply  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECRET = "hunter2-and-some-more"


@pytest.fixture
def users(server):
    """A server with a password, and a user who may do little."""
    cli(server.port, "acl", "setuser", "reader", "on", f">{SECRET}", "~sre:cache:*", "+get", "+ping")
    cli(server.port, "config", "set", "requirepass", SECRET)
    return server


def shows(error: BaseException) -> bool:
    return SECRET in f"{error} {error!r} {getattr(error, 'hint', '')}"


async def test_a_wrong_password_is_refused_credentials(users, started):
    with pytest.raises(UnauthenticatedError, match=r"refused the credentials \(WRONGPASS\)"):
        await started(users.port, password=f"{SECRET}-not")


async def test_no_password_is_refused_credentials(users, started):
    with pytest.raises(UnauthenticatedError, match="NOAUTH"):
        await started(users.port)


async def test_the_right_password_is_taken(users, started):
    connector = await started(users.port, password=SECRET)
    await connector.set("key", b"value")
    reader = await started(users.port, username="reader", password=SECRET)
    assert await reader.get("key") == b"value"


async def test_what_a_user_may_not_do_is_refused_with_a_hint(users, started):
    reader = await started(users.port, username="reader", password=SECRET)
    with pytest.raises(UnauthenticatedError, match="does not allow") as raised:
        await reader.set("key", b"value")
    assert "INCRBY" in raised.value.hint
    assert not shows(raised.value)


async def test_a_user_with_the_rights_that_the_documentation_names_can_do_everything(users, started):
    commands = "ping get set del pttl incrby evalsha eval exists pexpire"
    rights = [f"+{command}" for command in commands.split()]
    cli(
        users.port,
        "--no-auth-warning",
        "-a",
        SECRET,
        "acl",
        "setuser",
        "agents",
        "on",
        f">{SECRET}",
        "~sre:cache:*",
        *rights,
    )
    connector = await started(users.port, username="agents", password=SECRET)
    await connector.set("key", b"value", ttl=60)
    assert await connector.get("key") == b"value"
    assert await connector.expires_in("key") <= 60
    assert [await connector.increment("count"), await connector.increment("count", ttl=60)] == [1, 2]
    await connector.delete("key")


async def test_a_password_that_is_changed_meanwhile_is_said_to_be_wrong(users, started):
    connector = await started(users.port, password=SECRET, retries=3)
    cli(users.port, "--no-auth-warning", "-a", SECRET, "config", "set", "requirepass", "another")
    cli(users.port, "--no-auth-warning", "-a", "another", "client", "kill", "type", "normal")
    with pytest.raises(UnauthenticatedError) as raised:
        await connector.get("key")
    assert not shows(raised.value)


async def test_what_a_server_quotes_of_our_commands_is_in_no_error(tmp_path, started):
    hidden = ("--rename-command", "AUTH", "", "--rename-command", "SET", "")
    with redis_server(tmp_path / "redis", *hidden) as server:
        with pytest.raises(ConnectorError, match="unknown command 'AUTH'") as refused:
            await started(server.port, username="somebody", password=SECRET)
        connector = await started(server.port)
        with pytest.raises(ConnectorError, match="unknown command 'SET'") as failed:
            await connector.set("key", SECRET.encode())
    for raised in (refused, failed):
        error = raised.value
        while error is not None:
            assert not shows(error)
            assert SECRET not in f"{error.args}"
            error = error.__cause__ or error.__context__


async def test_a_key_that_is_no_text_is_said_to_be_none(shared_server, started):
    connector = await started(shared_server.port)
    for call in (connector.get("half-\ud83d"), connector.increment("half-\ud83d")):
        with pytest.raises(ConfigError, match="no Unicode text"):
            await call
    assert await connector.get("whole") is None


async def test_a_server_that_takes_no_more_clients_is_waited_for(server, started):
    connector = await started(server.port, retries=1000, retry_wait=0.01, timeout=60)
    cli(server.port, "config", "set", "maxclients", "5")
    sums = await asyncio.gather(*(connector.increment("crowd", ttl=60) for _ in range(50)))
    assert sorted(sums) == list(range(1, 51))


async def test_a_full_server_says_that_its_maxmemory_is_reached(server, started):
    connector = await started(server.port)
    await connector.set("small", b"value")
    cli(server.port, "config", "set", "maxmemory", "1")
    with pytest.raises(ConnectorError, match="maxmemory") as raised:
        await connector.set("large", b"x" * 4096)
    assert not raised.value.retryable
    with pytest.raises(ConnectorError, match="maxmemory"):
        await connector.increment("new", ttl=60)
    assert await connector.get("small") == b"value"


async def test_a_replica_takes_no_writes(server, tmp_path, started):
    options = ("--appendonly", "no", "--replicaof", f"127.0.0.1 {server.port}")
    with redis_server(tmp_path / "replica", *options) as replica:
        wait_for_reply(replica.port, "master_link_status:up", "info", "replication")
        connector = await started(replica.port)
        assert await connector.get("key") is None
        with pytest.raises(UnavailableError, match="is a replica"):
            await connector.set("key", b"value")
        with pytest.raises(UnavailableError, match="is a replica"):
            await connector.increment("key")
        # It becomes the primary while we wait for it.
        patient = await started(replica.port, retries=50, retry_wait=0.02)
        count = asyncio.ensure_future(patient.increment("count"))
        await asyncio.sleep(0)
        cli(replica.port, "replicaof", "no", "one")
        assert await count == 1


async def test_a_replica_that_lost_its_primary_is_unavailable(tmp_path, started):
    options = ("--replicaof", f"127.0.0.1 {free_port()}", "--replica-serve-stale-data", "no")
    with redis_server(tmp_path / "lonely", *options) as replica, pytest.raises(UnavailableError, match="not ready"):
        await started(replica.port)


async def test_a_server_that_loads_its_data_is_waited_for(tmp_path, started):
    server = redis_server(tmp_path / "redis", "--appendonly", "no")
    with server:
        cli(server.port, "eval", "for n = 1, 2000 do redis.call('set', 'sre:cache:' .. n, n) end", "0")
        cli(server.port, "save")
    # One key each millisecond, and an answer to whoever asks meanwhile.
    pace = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
    slow = redis_server(server.folder, "--appendonly", "no", *pace, port=server.port)
    with slow:
        with pytest.raises(UnavailableError, match="still loads"):
            await started(server.port)
        connector = await started(server.port, retries=100, timeout=60)
        assert await until_it_works(lambda: connector.get("2000")) == b"2000"


async def test_a_database_that_is_not_there_is_a_wrong_setting(shared_server, started):
    with pytest.raises(ConfigError, match="no such database"):
        await started(shared_server.port, db=9999)


async def test_a_key_that_another_program_uses_for_something_else_is_a_conflict(shared_server, started):
    cli(shared_server.port, "rpush", "sre:cache:list", "item")
    connector = await started(shared_server.port)
    for call in (connector.get("list"), connector.increment("list"), connector.increment("list", ttl=60)):
        with pytest.raises(ConflictError, match="'list'"):
            await call


@pytest.mark.parametrize("ttl", [None, 60])
async def test_counting_beyond_64_bits_is_a_conflict_and_changes_nothing(shared_server, started, ttl):
    connector = await started(shared_server.port)
    key = f"large-{ttl}"
    largest = 2**63 - 1
    assert await connector.increment(key, largest - 1, ttl=ttl) == largest - 1
    assert await connector.increment(key, 1, ttl=ttl) == largest, "every digit is kept"
    for by in (1, largest + 1, -(2**64)):
        with pytest.raises(ConflictError, match="64-bit range"):
            await connector.increment(key, by, ttl=ttl)
    assert await connector.get(key) == str(largest).encode()


async def test_a_time_to_live_below_a_millisecond_and_one_without_end_are_taken(shared_server, started):
    connector = await started(shared_server.port)
    await connector.set("shortest", b"1", ttl=1e-9)
    await connector.set("longest", b"1", ttl=float("inf"))
    assert await connector.expires_in("longest") > 10**9


async def test_a_value_that_redis_would_refuse_is_not_sent(shared_server, started):
    connector = await started(shared_server.port)
    with pytest.raises(ConnectorError, match="more than Redis keeps"):
        await connector.set("huge", bytes((512 << 20) + 1))
    assert await connector.get("huge") is None


async def test_keys_begin_with_the_prefix(shared_server, started):
    connector = await started(shared_server.port, prefix="mine:")
    await connector.set("agent/a1/key", b"value")
    assert cli(shared_server.port, "get", "mine:agent/a1/key") == "value"
