"""What the documentation of the server shows, as our values and errors."""

import json
from pathlib import Path

import pytest

from sre_core.errors import ConflictError, ConnectorError, NotFoundError, RateLimitedError, UnavailableError
from sre_hashicorp.engines import engine
from sre_hashicorp.replies import (
    Lease,
    Reply,
    checked,
    health,
    kv_version,
    lease_of_login,
    lease_of_lookup,
    listed,
    value,
)

FIXTURES = Path(__file__).parent / "fixtures"


def reply(name, **headers):
    fixture = json.loads((FIXTURES / f"{name}.json").read_text())
    return Reply(status=fixture["status"], headers=headers, body=fixture["body"])


def body(name):
    return checked(reply(name), "vault", "a request")


def test_a_secret_of_either_version_is_found_in_its_reply():
    for version, name in ((1, "kv1_read"), (2, "kv2_read")):
        assert value(engine(version, None, "secret").found(body(name)), "foo", "name") == "bar"


def test_an_entry_that_is_not_there_is_told_with_those_that_are_and_without_what_they_hold():
    found = engine(1, None, "secret").found(body("kv1_read"))
    with pytest.raises(NotFoundError, match="no entry 'value'; it has 'foo', 'ttl'") as raised:
        value(found, "value", "name")
    assert "bar" not in str(raised.value)
    with pytest.raises(NotFoundError, match="it has none"):
        value({}, "value", "name")


def test_a_folder_and_a_secret_may_share_a_name():
    assert listed(body("kv2_list"), "vault") == ["foo", "foo/"]


def test_mounts_are_told_apart():
    assert kv_version(body("mount_kv2"), "secret", "vault") == 2
    assert kv_version(body("mount_generic"), "secret", "vault") == 1
    with pytest.raises(ConnectorError, match="'transit' engine"):
        kv_version(body("mount_transit"), "transit", "vault")


def test_a_login_gives_a_token_with_an_end():
    token = "5b1a0318-679c-9c45-e5c6-d1b9a9035d49"
    assert lease_of_login(body("approle_login"), "vault") == Lease(token=token, ttl=1200.0, renewable=True)


def test_a_token_that_we_have_has_the_end_that_the_server_tells():
    assert lease_of_lookup(body("token_lookup"), "s.x") == Lease(token="s.x", ttl=2764790.0, renewable=True)
    assert lease_of_lookup({"data": {"ttl": 0, "renewable": False}}, "s.root") == Lease(token="s.root")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("health_sealed", "is sealed"), ("health_uninitialised", "not initialised"), ("health_recovering", "standby")],
)
def test_a_server_that_serves_nobody_says_why(name, reason):
    with pytest.raises(UnavailableError, match=reason):
        health(reply(name), "vault")


def test_a_healthy_server_is_healthy():
    health(reply("health_active"), "vault")


def test_a_secret_in_a_reply_is_in_no_repr():
    shown = f"{reply('kv2_read')!r} {reply('approle_login')!r} {lease_of_login(body('approle_login'), 'vault')!r}"
    assert "bar" not in shown
    assert "5b1a0318" not in shown


def test_a_rate_limit_comes_with_the_time_to_wait():
    with pytest.raises(RateLimitedError) as raised:
        checked(reply("rate_limited", **{"Retry-After": "3"}), "vault", "a request")
    assert raised.value.retry_after == 3


def test_a_mount_with_check_and_set_refuses_as_a_conflict():
    with pytest.raises(ConflictError, match="check-and-set"):
        checked(reply("check_and_set"), "vault", "a request")


def test_a_request_that_is_too_large_is_refused_for_good():
    with pytest.raises(ConnectorError, match="too large") as raised:
        checked(Reply(status=413, headers={}, body={"errors": ["http: request body too large"]}), "vault", "writing")
    assert not raised.value.retryable


def test_a_token_that_has_lived_its_life_is_not_asked_about_again():
    body = {"errors": ["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"]}
    with pytest.raises(ConnectorError, match="cannot renew") as raised:
        checked(Reply(status=500, headers={}, body=body), "vault", "the renewal of our token")
    assert not raised.value.retryable


def test_a_deleted_version_is_not_found():
    with pytest.raises(NotFoundError):
        body("kv2_read_deleted")


@pytest.mark.parametrize("wrong", [None, [], {"data": None}, {"data": {"keys": "foo"}}, {"data": {"keys": [1]}}])
def test_what_is_no_list_of_names_is_foreign(wrong):
    with pytest.raises(ConnectorError, match="not as Vault does"):
        listed(wrong if isinstance(wrong, dict) else {}, "vault")


@pytest.mark.parametrize("wrong", [{}, {"auth": None}, {"auth": {"client_token": 7}}])
def test_what_is_no_login_is_foreign(wrong):
    with pytest.raises(ConnectorError, match="not as Vault does"):
        lease_of_login(wrong, "vault")
