"""Which settings go together, and how addresses are read."""

import pytest
from pydantic import ValidationError

from sre_redis import RedisCache, RedisSettings
from sre_redis.address import Address, endpoint, parse_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", Address()),
        ("redis://cache.test:6380/2", Address(host="cache.test", port=6380, db=2)),
        ("redis://cache.test?db=3", Address(host="cache.test", db=3)),
        ("rediss://[::1]:7000/0", Address(host="::1", port=7000, db=0, tls=True)),
        ("unix:///run/redis.sock", Address(path="/run/redis.sock")),
        ("unix:///run/a%20b.sock?db=1", Address(path="/run/a b.sock", db=1)),
    ],
)
def test_a_url_is_read(url, address):
    assert parse_url(url) == address


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://localhost", "begin with redis://"),
        ("redis://user:hunter2-hunter2@localhost", "no credentials"),
        ("redis://:hunter2-hunter2@localhost", "no credentials"),
        ("redis://localhost?password=hunter2-hunter2", "only db is known"),
        ("redis://localhost:99999", "a port is"),
        ("redis://localhost/one", "a database is"),
        ("unix://", "path of a socket"),
    ],
)
def test_a_url_that_says_too_much_is_refused_without_being_quoted(url, reason):
    with pytest.raises(ValidationError, match=reason) as raised:
        RedisSettings(url=url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [("one:1", ("one", 1)), ("one", ("one", 26379)), ("[::1]:5", ("::1", 5)), ("10.0.0.1:26380", ("10.0.0.1", 26380))],
)
def test_an_endpoint_is_read(text, found):
    assert endpoint(text, port=26379) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "redis://localhost", "host": "other"},
        {"url": "redis://localhost/1", "db": 2},
        {"sentinels": ["one:1"], "cluster": True},
        {"cluster": True, "db": 1},
        {"cluster": True, "url": "redis://localhost/1"},
        {"nodes": ["one:1"]},
        {"sentinels": ["redis://one"]},
        {"sentinels": ["user@one:1"]},
        {"url": "unix:///run/redis.sock", "tls": True},
        {"url": "unix:///run/redis.sock", "cluster": True},
        {"key_file": "key.pem"},
        {"timeout": 0},
        {"pool_size": 0},
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes):
    with pytest.raises(ValidationError):
        RedisSettings.model_validate(changes)


def test_the_database_of_the_url_wins():
    assert RedisSettings(url="redis://localhost/4").address.db == 4
    assert RedisSettings(url="redis://localhost", db=5).address.db == 5
    assert RedisSettings(url="redis://localhost/4", db=4).address.db == 4


def test_no_secret_is_shown():
    settings = RedisSettings.model_validate({"password": "hunter2-hunter2", "sentinel_password": "hunter2-hunter2"})
    assert "hunter2" not in f"{settings!r} {settings} {RedisCache(settings)!r} {settings.place}"


@pytest.mark.anyio
async def test_it_says_where_the_values_are_without_a_server():
    described = await RedisCache(RedisSettings(url="redis://cache.test/1", prefix="mine:")).describe()
    assert described == {"values": "Redis at cache.test:6379, keys mine:*"}
