"""Secrets as they lie in the server: their entries, names, versions, folders and namespaces."""

import asyncio

import hvac
import pytest
from pydantic import SecretStr

from sre_core.errors import ConfigError, ConflictError, ConnectorError, NotFoundError, UnauthenticatedError

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def kv2(shared_bao):
    return shared_bao.client.secrets.kv.v2


@pytest.fixture
def kv1(shared_bao):
    return shared_bao.client.secrets.kv.v1


async def test_others_find_what_was_set_and_what_they_set_is_found(shared_bao, started, kv1, kv2):
    for mount, api in (("secret", kv2), ("kv1", kv1)):
        connector = await started(shared_bao.vault(mount=mount, prefix="shared/by"))
        await connector.set("both", SecretStr("ours"))
        read = api.read_secret(path="shared/by/both", mount_point=mount, **_current(api))
        entries = read["data"]["data"] if mount == "secret" else read["data"]
        assert entries == {"value": "ours"}
        api.create_or_update_secret(path="shared/by/both", secret={"value": "theirs"}, mount_point=mount)
        assert (await connector.get("both")).get_secret_value() == "theirs"


def _current(api):
    return {"raise_on_deleted_version": True} if "V2" in type(api).__name__ else {}


async def test_the_entry_is_the_one_that_is_asked_for_or_the_only_one(shared_bao, started, kv2):
    connector = await started(shared_bao.vault(prefix="entries"))
    password = await started(shared_bao.vault(prefix="entries", field="password"))
    kv2.create_or_update_secret("entries/two", {"username": "me", "password": "secret"})
    kv2.create_or_update_secret("entries/only", {"api_key": "secret"})
    kv2.create_or_update_secret("entries/number", {"value": 7})
    kv2.create_or_update_secret("entries/nested", {"value": {"key": "\u00e9"}})
    assert (await password.get("two")).get_secret_value() == "secret"
    for name, text in (("only", "secret"), ("number", "7"), ("nested", '{"key": "\u00e9"}')):
        assert (await connector.get(name)).get_secret_value() == text
    with pytest.raises(NotFoundError, match="has 'password', 'username'") as raised:
        await connector.get("two")
    assert "secret'" not in str(raised.value).replace("secret 'two'", "")


@pytest.mark.parametrize("mount", ["secret", "kv1"])
async def test_names_may_have_any_letters(shared_bao, started, mount):
    connector = await started(shared_bao.vault(mount=mount, prefix=f"letters-{mount}"))
    names = [
        "a b",
        "a+b",
        "a%20b",
        "a%b",
        "a?b=c",
        "a#b",
        "a&b",
        "\u00e9\u4e16",
        "a*",
        "~a.b-c_d",
        "a:b@c",
        " a",
        "a ",
        "a\\..\\b",
        "%2e%2e/a",
        "...",
        "{0}",
        "deep/er/still",
    ]
    for name in names:
        await connector.set(name, SecretStr(name))
    for name in names:
        assert (await connector.get(name)).get_secret_value() == name
    assert await connector.names() == sorted(names)
    for name in names:
        await connector.delete(name)
    assert await connector.names() == []


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\n", "a\tb", "a\u00a0b", "\ud800"])
async def test_what_could_lead_elsewhere_is_no_name(shared_bao, started, name):
    connector = await started(shared_bao.vault())
    for call in (connector.get(name), connector.set(name, SecretStr("x")), connector.delete(name)):
        with pytest.raises(ConfigError, match="no name"):
            await call


@pytest.mark.parametrize("mount", ["secret", "kv1"])
async def test_a_secret_that_is_too_large_is_refused_for_good(shared_bao, started, mount):
    connector = await started(shared_bao.vault(mount=mount))
    # The request is just small enough to be sent in one piece, and what is kept of it just too large.
    with pytest.raises(ConnectorError, match="too large") as raised:
        await connector.set("large", SecretStr("x" * ((1 << 20) - 64)))
    assert not raised.value.retryable
    assert "storage" in raised.value.hint


async def test_a_secret_that_the_server_would_change_is_not_sent(shared_bao, started):
    connector = await started(shared_bao.vault(prefix="surrogates"))
    with pytest.raises(ConfigError, match="'half'") as raised:
        await connector.set("half", SecretStr("hunter2-\ud83d-hunter2"))
    assert raised.value.__context__ is None, "the driver's error would hold the whole secret"
    assert await connector.names() == []


async def test_a_deleted_version_is_not_found_and_a_deleted_secret_is_gone(shared_bao, started, kv2):
    connector = await started(shared_bao.vault(prefix="versions"))
    for text in ("first", "second"):
        await connector.set("one", SecretStr(text))
    kv2.delete_latest_version_of_secret("versions/one")
    with pytest.raises(NotFoundError, match="is deleted") as raised:
        await connector.get("one")
    assert "undelete" in raised.value.hint
    kv2.undelete_secret_versions("versions/one", [2])
    assert (await connector.get("one")).get_secret_value() == "second"
    kv2.destroy_secret_versions("versions/one", [2])
    with pytest.raises(NotFoundError):
        await connector.get("one")
    await connector.delete("one")
    with pytest.raises(hvac.exceptions.InvalidPath):
        kv2.read_secret_version("versions/one", version=1, raise_on_deleted_version=True)


async def test_many_folders_are_listed_and_those_that_may_not_be_are_left_out(shared_bao, started):
    rules = """
        path "secret/metadata/tree/*" { capabilities = ["list"] }
        path "secret/metadata/tree/closed/*" { capabilities = ["deny"] }
        path "secret/metadata/tree/closed" { capabilities = ["deny"] }
    """
    owner = await started(shared_bao.vault(prefix="tree"))
    names = [f"{top}/{middle}/{leaf}" for top in ("a", "b", "c") for middle in range(5) for leaf in range(4)]
    await asyncio.gather(*(owner.set(name, SecretStr("x")) for name in ["a", "closed/one", *names]))
    assert await owner.names() == sorted(["a", "closed/one", *names])
    shared_bao.client.sys.create_or_update_policy("lister", rules)
    token = shared_bao.token(policies=["lister"])
    lister = await started(shared_bao.vault(prefix="tree", token=token, lists=2))
    assert await lister.names() == sorted(["a", *names])
    with pytest.raises(UnauthenticatedError):
        await (await started(shared_bao.vault(prefix="elsewhere", token=token))).names()


async def test_the_policy_of_the_documentation_is_enough_for_everything(shared_bao, started):
    rules = """
        path "secret/data/*"     { capabilities = ["create", "update", "read"] }
        path "secret/metadata/*" { capabilities = ["list", "delete"] }
        path "secret/metadata"   { capabilities = ["list"] }
    """
    shared_bao.client.sys.create_or_update_policy("documented", rules)
    connector = await started(shared_bao.vault(token=shared_bao.token(policies=["documented"])))
    await connector.set("documented/one", SecretStr("secret"))
    assert (await connector.get("documented/one")).get_secret_value() == "secret"
    assert "documented/one" in await connector.names()
    await connector.delete("documented/one")
    await connector.ping()


async def test_the_version_of_a_mount_is_found_out(shared_bao, started):
    for mount in ("secret", "kv1"):
        connector = await started(shared_bao.vault(mount=mount, prefix="auto"))
        await connector.set("one", SecretStr(mount))
        assert (await connector.get("one")).get_secret_value() == mount


async def test_a_mount_that_is_not_there_or_keeps_no_secrets_is_said_to_be_wrong(shared_bao, started):
    with pytest.raises(UnauthenticatedError, match="shows it no KV engine at 'nowhere'") as raised:
        await started(shared_bao.vault(mount="nowhere"))
    assert "mount" in raised.value.hint
    connector = await started(shared_bao.vault(mount="nowhere", kv_version=2))
    with pytest.raises(NotFoundError, match="no engine is mounted"):
        await connector.get("one")
    with pytest.raises(NotFoundError, match="no engine is mounted"):
        await connector.names()
    shared_bao.client.sys.enable_secrets_engine("transit")
    with pytest.raises(ConnectorError, match="'transit' engine"):
        await started(shared_bao.vault(mount="transit"))


async def test_the_wrong_version_finds_nothing_and_says_why_if_it_can(shared_bao, started, kv2):
    kv2.create_or_update_secret("wrong-version", {"value": "x"})
    connector = await started(shared_bao.vault(kv_version=1))
    with pytest.raises(NotFoundError, match="KV version 2") as raised:
        await connector.get("wrong-version")
    assert "kv_version" in raised.value.hint
    for call in (connector.set("wrong-version", SecretStr("y")), connector.delete("wrong-version"), connector.names()):
        with pytest.raises(NotFoundError, match="KV version 2"):
            await call
    assert kv2.read_secret_version("wrong-version", raise_on_deleted_version=True)["data"]["data"] == {"value": "x"}


async def test_a_mount_that_wants_check_and_set_is_a_conflict(shared_bao, started):
    shared_bao.mount("careful", 2)
    shared_bao.client.secrets.kv.v2.configure(cas_required=True, mount_point="careful")
    connector = await started(shared_bao.vault(mount="careful"))
    with pytest.raises(ConflictError, match="check-and-set") as raised:
        await connector.set("one", SecretStr("x"))
    assert "cas_required" in raised.value.hint


async def test_namespaces_are_worlds_of_their_own(shared_bao, started):
    shared_bao.namespace("team")
    team = await started(shared_bao.vault(namespace="team", prefix="ns"))
    root = await started(shared_bao.vault(prefix="ns"))
    await team.set("one", SecretStr("of the team"))
    assert (await team.get("one")).get_secret_value() == "of the team"
    assert await root.names() == []
    lost = shared_bao.vault(namespace="nobody", kv_version=2)
    with pytest.raises((NotFoundError, UnauthenticatedError), match="namespace"):
        await (await started(lost)).get("one")


async def test_two_runtimes_that_write_the_same_secret_leave_one_whole(shared_bao, started):
    one, other = await started(shared_bao.vault(prefix="two")), await started(shared_bao.vault(prefix="two"))
    texts = [f"{number}-" * 200 for number in range(20)]
    writers = [one, other] * 10
    await asyncio.gather(*(vault.set("same", SecretStr(text)) for vault, text in zip(writers, texts, strict=True)))
    found = (await one.get("same")).get_secret_value()
    assert found in texts
    assert (await other.get("same")).get_secret_value() == found
    assert await one.names() == ["same"]
