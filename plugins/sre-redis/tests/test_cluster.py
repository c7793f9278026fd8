"""A Cluster of three: nodes that die, slots that move, settings that do not fit."""

import asyncio

import pytest

from sre_core.errors import ConfigError, ConflictError, ConnectorError, UnauthenticatedError, UnavailableError
from sre_core.testing.servers import free_port
from sre_redis import RedisCache, RedisSettings

from .redis_servers import ClusterOfThree, another_node, cli, until_it_works, wait_for_reply  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def cluster(tmp_path):
    """A Cluster of the test's own."""
    with ClusterOfThree.running(tmp_path) as cluster:
        yield cluster


def keys_by_node(cluster, name="key"):
    """A key for each node, by its port."""
    found = {}
    for number in range(100):
        found.setdefault(cluster.owner(f"sre:cache:{name}-{number}").port, f"{name}-{number}")
        if len(found) == 3:
            return found
    raise LookupError("no keys for all nodes")


async def test_values_lie_on_all_nodes(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings()))
    for port, key in keys_by_node(shared_cluster).items():
        await connector.set(key, b"value")
        assert cli(port, "get", f"sre:cache:{key}") == "value"
        assert await connector.get(key) == b"value"


@pytest.mark.slow
async def test_a_node_that_dies_takes_its_keys_along_and_brings_them_back(cluster, started):
    connector = await started(RedisCache(cluster.settings(retries=2, retry_wait=0.01)))
    values, counts = keys_by_node(cluster), keys_by_node(cluster, "count")
    dead = cluster.nodes[1]
    for port in values:
        await connector.set(values[port], b"value")
        await connector.increment(counts[port])
    dead.kill()
    with pytest.raises(UnavailableError):
        await connector.get(values[dead.port])
    with pytest.raises(UnavailableError):
        await connector.increment(counts[dead.port])
    with pytest.raises(UnavailableError):
        await connector.ping()
    for port in values.keys() - {dead.port}:
        assert await connector.get(values[port]) == b"value"
    dead.start()
    await until_it_works(lambda: connector.get(values[dead.port]))
    for port in values:
        assert await connector.get(values[port]) == b"value"
        assert await connector.increment(counts[port]) == 2


@pytest.mark.slow
async def test_all_nodes_may_restart(cluster, started):
    connector = await started(RedisCache(cluster.settings(retries=0)))
    keys = keys_by_node(cluster).values()
    for key in keys:
        await connector.set(key, key.encode())
    for node in cluster.nodes:
        node.kill()
    with pytest.raises(UnavailableError):
        await connector.get("key-0")
    await connector.stop()
    await connector.stop()
    with pytest.raises(UnavailableError):
        await connector.start()
    for node in cluster.nodes:
        node.start()
    await until_it_works(connector.start)
    for key in keys:
        assert await until_it_works(lambda key=key: connector.get(key)) == key.encode()


async def test_a_slot_that_moves_is_followed(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings(retries=0)))
    await connector.increment("moved")
    await connector.delete("moved")
    old = shared_cluster.owner("sre:cache:moved")
    new = next(node for node in shared_cluster.nodes if node is not old)
    slot = cli(old.port, "cluster", "keyslot", "sre:cache:moved")
    for node in (new, old, *shared_cluster.nodes):
        cli(node.port, "cluster", "setslot", slot, "node", cli(new.port, "cluster", "myid"))
    assert await connector.increment("moved", ttl=60) == 1
    assert cli(new.port, "get", "sre:cache:moved") == "1"


@pytest.mark.parametrize("crowd", [1, 2, 3, 20])
async def test_a_key_is_found_while_its_slot_is_on_the_move(shared_cluster, started, crowd):
    connector = await started(RedisCache(shared_cluster.settings(retries=0)))
    key = f"asked-{crowd}"
    old = shared_cluster.owner(f"sre:cache:{key}")
    new = next(node for node in shared_cluster.nodes if node is not old)
    await asyncio.gather(*(connector.get(keys_by_node(shared_cluster)[new.port]) for _ in range(crowd)))
    slot = cli(old.port, "cluster", "keyslot", f"sre:cache:{key}")
    ids = {node: cli(node.port, "cluster", "myid") for node in (old, new)}
    cli(new.port, "cluster", "setslot", slot, "importing", ids[old])
    cli(old.port, "cluster", "setslot", slot, "migrating", ids[new])
    for number in range(1, 6):
        assert await connector.increment(key, ttl=60) == number
    sums = await asyncio.gather(*(connector.increment(key) for _ in range(20)))
    assert sorted(sums) == list(range(6, 26))
    for node in (new, old, *shared_cluster.nodes):
        cli(node.port, "cluster", "setslot", slot, "node", ids[new])
    assert await connector.get(key) == b"25"


@pytest.mark.slow
async def test_a_key_is_found_on_a_node_that_has_no_slot_yet(cluster, started):
    with another_node(cluster) as new:
        connector = await started(RedisCache(cluster.settings(retries=0)))
        old = cluster.owner("sre:cache:asked")
        slot = cli(old.port, "cluster", "keyslot", "sre:cache:asked")
        cli(new.port, "cluster", "setslot", slot, "importing", cli(old.port, "cluster", "myid"))
        cli(old.port, "cluster", "setslot", slot, "migrating", cli(new.port, "cluster", "myid"))
        assert [await connector.increment("asked") for _ in range(3)] == [1, 2, 3]
        await connector.stop()


@pytest.mark.slow
async def test_a_node_that_hangs_is_left_for_the_one_that_takes_its_place(cluster, started):
    dying = cluster.nodes[1]
    with another_node(cluster, replica_of=dying) as heir:
        connector = await started(RedisCache(cluster.settings(retries=0, timeout=2)))
        key = keys_by_node(cluster)[dying.port]
        await connector.set(key, b"value")
        wait_for_reply(heir.port, "master_link_status:up", "info", "replication")
        for node in (*cluster.nodes, heir):
            cli(node.port, "config", "set", "cluster-node-timeout", "500")
        dying.freeze()
        await until_it_works(lambda: connector.set(key, b"new"))
        assert cli(heir.port, "get", f"sre:cache:{key}") == "new"
        await connector.stop()


async def test_stop_ends_calls_under_way_and_leaves_no_connection(cluster, started):
    before = asyncio.all_tasks()
    connector = await started(RedisCache(cluster.settings(retries=5, timeout=60)))
    keys = [f"paused-{number}" for number in range(60)]
    for node in cluster.nodes:
        node.freeze()
    calls = [asyncio.ensure_future(connector.get(key)) for key in keys]
    await asyncio.sleep(0)
    await connector.stop()
    for ended in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(ended, ConnectorError)
        assert "closed while it was used" in str(ended)
    for node in cluster.nodes:
        node.thaw()
        wait_for_reply(node.port, "connected_clients:1\n", "info", "clients")
    assert asyncio.all_tasks() == before


async def test_ping_leaves_nothing_behind_when_one_node_is_down_and_another_hangs(cluster, started):
    before = asyncio.all_tasks()
    connector = await started(RedisCache(cluster.settings(retries=0, timeout=2)))
    cluster.nodes[1].freeze()
    cluster.nodes[2].kill()
    for _ in range(3):
        with pytest.raises(ConnectorError):
            await connector.ping()
    assert asyncio.all_tasks() == before


async def test_one_living_node_of_those_that_are_named_is_enough(shared_cluster, started):
    nodes = tuple(f"127.0.0.1:{node.port}" for node in shared_cluster.nodes)
    connector = await started(RedisCache(shared_cluster.settings(port=free_port(), nodes=nodes)))
    await connector.set("found", b"value")


async def test_two_hundred_calls_at_once_on_one_slot(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings(timeout=30)))
    sums = await asyncio.gather(*(connector.increment("crowd") for _ in range(200)))
    assert sorted(sums) == list(range(1, 201))


async def test_a_small_pool_makes_calls_wait_and_none_fail(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings(pool_size=2, retries=0)))
    sums = await asyncio.gather(*(connector.increment("small-pool", ttl=60) for _ in range(50)))
    assert sorted(sums) == list(range(1, 51))


async def test_cancelled_calls_are_cancelled_and_mix_no_answers(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings(pool_size=20)))
    keys = [f"cancelled-{number}" for number in range(20)]
    for key in keys:
        await connector.set(key, key.encode())
    for turns in range(14):
        calls = [asyncio.ensure_future(connector.get(key)) for key in keys]
        for _ in range(turns):
            await asyncio.sleep(0)
        asked = [call for call in calls if call.cancel()]
        await asyncio.wait(calls)
        assert all(call.cancelled() for call in asked)
        assert await asyncio.gather(*(connector.get(key) for key in keys)) == [key.encode() for key in keys]


async def test_a_wrong_value_is_a_conflict_here_too(shared_cluster, started):
    connector = await started(RedisCache(shared_cluster.settings()))
    await connector.set("word", b"seven")
    with pytest.raises(ConflictError, match="'word'"):
        await connector.increment("word", ttl=60)


async def test_a_wrong_password_is_refused_credentials(shared_cluster, started):
    with pytest.raises(UnauthenticatedError) as raised:
        await started(RedisCache(shared_cluster.settings(password="hunter2-hunter2", username="nobody")))
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"


async def test_one_server_is_no_cluster(shared_server, started):
    with pytest.raises(ConfigError, match="is no Cluster"):
        await started(RedisCache(RedisSettings(cluster=True, host="127.0.0.1", port=shared_server.port)))


async def test_a_node_of_a_cluster_is_no_server_of_its_own(shared_cluster, started):
    connector = await started(shared_cluster.nodes[0].port)
    with pytest.raises(ConfigError, match="is a node of a Cluster"):
        await connector.get(keys_by_node(shared_cluster)[shared_cluster.nodes[1].port])
