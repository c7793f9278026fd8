"""Which settings go together."""

import pytest
from pydantic import ValidationError

from sre_hashicorp import HashicorpSettings, HashicorpVault


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "none is given"),
        ({"token": "s.x", "role_id": "r"}, "token and role_id is given"),
        ({"token": "s.x", "secret_id": "s"}, "secret_id needs role_id"),
        ({"token": "s.x", "auth_mount": "approle"}, "auth_mount is for"),
        ({"token": "s.x", "url": "vault.test:8200"}, "begin with https"),
        ({"token": "s.x", "url": "https://me:pw@vault.test"}, "neither credentials"),
        ({"token": "s.x", "url": "https://vault.test:99999"}, "a port is"),
        ({"token": "s.x", "prefix": "a/../b"}, "neither . nor .."),
        ({"token": "s.x", "mount": "/"}, "mount is empty"),
        ({"token": "s.x", "kv_version": 3}, "kv_version"),
        ({"token": "s.x", "key_file": "key.pem"}, "key_file needs cert_file"),
        ({"token": "s.x", "renew_after": 1}, "renew_after"),
        ({"token": ""}, "token"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, reason):
    with pytest.raises(ValidationError, match=reason):
        HashicorpSettings.model_validate(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "hunter2-hunter2", "secret_id": "hunter2-hunter2"},
        {"token": "hunter2-hunter2", "key_file": "key.pem"},
        {"token": "s.x", "url": "https://me:hunter2-hunter2@vault.test"},
        {"token": {"of": "hunter2-hunter2"}},
    ],
)
def test_settings_are_refused_without_being_quoted(changes):
    with pytest.raises(ValidationError) as raised:
        HashicorpSettings.model_validate(changes)
    assert "hunter2" not in str(raised.value)


def test_slashes_around_paths_do_not_matter():
    found = HashicorpSettings(url="https://vault.test/", token="s.x", mount="/kv/", prefix="/a/b/", namespace="n/")
    assert (found.url, found.mount, found.prefix, found.namespace) == ("https://vault.test", "kv", "a/b", "n")


def test_a_version_may_come_as_text_from_the_environment():
    assert HashicorpSettings.model_validate({"token": "s.x", "kv_version": "2"}).kv_version == 2


def test_no_secret_is_shown():
    for name in ("token", "secret_id"):
        settings = HashicorpSettings.model_validate(
            {name: "hunter2-hunter2", "role_id": None if name == "token" else "r"}
        )
        assert "hunter2" not in f"{settings!r} {settings} {HashicorpVault(settings)!r} {settings.place}"


@pytest.mark.anyio
async def test_it_says_where_the_secrets_are_without_a_server():
    settings = HashicorpSettings(url="https://vault.test", token="s.x", namespace="team", prefix="sre")
    assert await HashicorpVault(settings).describe() == {
        "secrets": "vault at https://vault.test, namespace team, secret/sre"
    }
