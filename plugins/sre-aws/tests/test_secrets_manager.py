"""Secrets as they lie in AWS, deleted ones among them."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from sre_aws import SecretsManagerVault
from sre_core.errors import ConfigError, ConflictError, ConnectorError, DeadlineError, NotFoundError, UnavailableError
from sre_core.testing.conformance import observe
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import ServerProcess

from .aws_server import Moto, vault  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def prefix() -> str:
    """A prefix that only this test uses."""
    return f"kit/{uuid.uuid4().hex}"


@pytest.fixture
async def secrets(moto: Moto, prefix: str) -> AsyncIterator[SecretsManagerVault]:
    started = moto.vault(prefix=prefix)
    await started.start()
    yield started
    await started.stop()


def _plain(secret: SecretStr) -> str:
    return secret.get_secret_value()


# What others see, and what others keep


async def test_a_secret_lies_below_the_prefix(secrets: SecretsManagerVault, prefix: str, bare_secrets: Any) -> None:
    await secrets.set("team/ops/token", SecretStr("t1"))
    assert bare_secrets.get_secret_value(SecretId=f"{prefix}/team/ops/token")["SecretString"] == "t1"


async def test_secrets_of_other_tools_are_read_and_named(
    secrets: SecretsManagerVault, prefix: str, bare_secrets: Any
) -> None:
    pairs = json.dumps({"user": "ada", "password": "p"})
    bare_secrets.create_secret(Name=f"{prefix}/database", SecretString=pairs)
    bare_secrets.create_secret(Name=f"{prefix}/text", SecretBinary="\u00e9".encode())
    bare_secrets.create_secret(Name=f"{prefix}x/other", SecretString="no")
    assert await secrets.names() == ["database", "text"]
    assert _plain(await secrets.get("database")) == pairs
    assert _plain(await secrets.get("text")) == "\u00e9"


async def test_a_binary_secret_is_an_error_that_shows_nothing_of_it(
    secrets: SecretsManagerVault, prefix: str, bare_secrets: Any
) -> None:
    bare_secrets.create_secret(Name=f"{prefix}/binary", SecretBinary=b"\xff\xfesecret bytes")
    with pytest.raises(ConnectorError, match="binary") as raised:
        await secrets.get("binary")
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_a_secret_without_a_value_is_not_found(
    secrets: SecretsManagerVault, prefix: str, bare_secrets: Any
) -> None:
    bare_secrets.create_secret(Name=f"{prefix}/empty")
    with pytest.raises(NotFoundError):
        await secrets.get("empty")


async def test_more_names_than_one_page_has_are_listed(
    secrets: SecretsManagerVault, prefix: str, bare_secrets: Any
) -> None:
    wanted = [f"many/{number:03}" for number in range(230)]
    for name in wanted:
        bare_secrets.create_secret(Name=f"{prefix}/{name}", SecretString="x")
    assert await secrets.names() == wanted


async def test_the_older_version_stays_in_aws(secrets: SecretsManagerVault, prefix: str, bare_secrets: Any) -> None:
    for value in ("old", "new"):
        await secrets.set("openai", SecretStr(value))
    previous = bare_secrets.get_secret_value(SecretId=f"{prefix}/openai", VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == "old"


async def test_new_secrets_are_encrypted_with_the_key_that_is_set(moto: Moto, prefix: str, bare_secrets: Any) -> None:
    started = moto.vault(prefix=prefix, kms_key_id="alias/ours")
    await started.start()
    await started.set("openai", SecretStr("value"))
    assert bare_secrets.describe_secret(SecretId=f"{prefix}/openai")["KmsKeyId"] == "alias/ours"
    await started.stop()


# Limits


@pytest.mark.parametrize("value", ["", "x" * 65_537, "\u00e9" * 32_769], ids=["empty", "long", "long-in-utf-8"])
async def test_what_aws_does_not_keep_is_refused_without_showing_it(secrets: SecretsManagerVault, value: str) -> None:
    with pytest.raises(ConfigError, match="65536") as raised:
        await secrets.set("openai", SecretStr(value))
    assert not value or value not in f"{raised.value}"


async def test_what_is_no_text_is_refused_without_showing_it(secrets: SecretsManagerVault) -> None:
    with pytest.raises(ConfigError, match="not Unicode text") as raised:
        await secrets.set("openai", SecretStr("sk-1\ud800"))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_the_longest_secret_is_kept(secrets: SecretsManagerVault) -> None:
    await secrets.set("long", SecretStr("x" * 65_536))
    assert len(_plain(await secrets.get("long"))) == 65_536


# Deleting


async def test_a_deleted_secret_can_be_restored_by_aws_for_a_while(
    secrets: SecretsManagerVault, prefix: str, bare_secrets: Any
) -> None:
    await secrets.set("openai", SecretStr("value"))
    await secrets.delete("openai")
    await secrets.delete("openai")
    with pytest.raises(NotFoundError, match="deleted"):
        await secrets.get("openai")
    assert await secrets.names() == []
    bare_secrets.restore_secret(SecretId=f"{prefix}/openai")
    assert _plain(await secrets.get("openai")) == "value"


async def test_a_secret_that_is_set_after_it_was_deleted_is_there_again(secrets: SecretsManagerVault) -> None:
    await secrets.set("openai", SecretStr("old"))
    await secrets.delete("openai")
    await secrets.set("openai", SecretStr("new"))
    assert _plain(await secrets.get("openai")) == "new"
    assert await secrets.names() == ["openai"]


async def test_without_recovery_nothing_is_left(moto: Moto, prefix: str, bare_secrets: Any) -> None:
    started = moto.vault(prefix=prefix, recovery_days=0)
    await started.start()
    await started.set("openai", SecretStr("value"))
    await started.delete("openai")
    with pytest.raises(bare_secrets.exceptions.ResourceNotFoundException):
        bare_secrets.describe_secret(SecretId=f"{prefix}/openai")
    await started.set("openai", SecretStr("again"))
    await started.stop()


# Several at once


async def test_runtimes_that_create_one_secret_at_once_all_succeed(moto: Moto, prefix: str) -> None:
    runtimes = [moto.vault(prefix=prefix) for _ in range(6)]
    await asyncio.gather(*(runtime.start() for runtime in runtimes))
    values = [f"value-{number}" for number in range(6)]
    for _ in range(3):
        await asyncio.gather(
            *(runtime.set("team/x/token", SecretStr(value)) for runtime, value in zip(runtimes, values, strict=True))
        )
        read = {_plain(await runtime.get("team/x/token")) for runtime in runtimes}
        assert len(read) == 1
        assert read <= set(values)
        await runtimes[0].delete("team/x/token")
    await asyncio.gather(*(runtime.stop() for runtime in runtimes))


async def test_a_secret_that_is_created_in_between_is_written_all_the_same() -> None:
    """Another runtime creates it after this one has found it missing."""
    missing = HttpReply.json({"__type": "ResourceNotFoundException", "Message": "no"}, status=400)
    exists = HttpReply.json({"__type": "ResourceExistsException", "Message": "yes"}, status=400)
    async with ReplayServer.running(missing, exists, always=HttpReply.json({"Name": "sre/openai"})) as server:
        started = vault(server.url)
        await started.start()
        await started.set("openai", SecretStr("value"))
        asked = [request.headers["X-Amz-Target"].split(".")[1] for request in server.requests]
        assert asked == ["UpdateSecret", "CreateSecret", "UpdateSecret"]
        await started.stop()


async def test_a_secret_that_can_neither_be_restored_nor_created_yet_is_waited_for() -> None:
    """So it is for a moment after it was deleted for good."""
    missing = HttpReply.json({"__type": "ResourceNotFoundException", "Message": "no"}, status=400)
    going = HttpReply.json(
        {
            "__type": "InvalidRequestException",
            "Message": "You can't create this secret because a secret with this "
            "name is already scheduled for deletion.",
        },
        status=400,
    )
    async with ReplayServer.running(
        going, going, going, missing, going, missing, always=HttpReply.json({"Name": "sre/openai"})
    ) as server:
        started = vault(server.url)
        await started.start()
        await started.set("openai", SecretStr("value"))
        asked = [request.headers["X-Amz-Target"].split(".")[1] for request in server.requests]
        assert asked == ["UpdateSecret", "RestoreSecret", "CreateSecret", *["UpdateSecret", "CreateSecret"] * 2]
        await started.stop()


async def test_a_secret_that_comes_and_goes_all_the_time_is_given_up() -> None:
    missing = HttpReply.json({"__type": "ResourceNotFoundException", "Message": "no"}, status=400)
    exists = HttpReply.json({"__type": "ResourceExistsException", "Message": "yes"}, status=400)
    async with ReplayServer.running(*[missing, exists] * 8) as server:
        started = vault(server.url, retries=0)
        await started.start()
        with pytest.raises(ConflictError, match="all the time"):
            await started.set("openai", SecretStr("value"))
        await started.stop()


# Faults


async def test_a_server_that_dies_and_comes_back(own_server: ServerProcess) -> None:
    moto = Moto(own_server.port)
    started = moto.vault(retries=0)
    await started.start()
    await started.set("openai", SecretStr("value"))
    own_server.kill()
    for call in (started.get("openai"), started.names(), started.set("a", SecretStr("b")), started.ping()):
        with pytest.raises(UnavailableError, match=str(moto.port)):
            await call
    own_server.start()
    # It has forgotten what it held, as real ones do not.
    with pytest.raises(NotFoundError):
        await started.get("openai")
    await started.stop()


async def test_a_silent_server_is_given_up_and_a_slow_one_waited_for(moto: Moto, prefix: str) -> None:
    async with FaultProxy.before(moto.port) as proxy:
        started = vault(f"http://127.0.0.1:{proxy.port}", prefix=prefix, retries=0, timeout=3)
        await started.start()
        proxy.delay = 0.05
        await started.set("openai", SecretStr("value"))
        proxy.silent = True
        with pytest.raises(DeadlineError):
            await started.get("openai")
        proxy.silent = False
        assert _plain(await started.get("openai")) == "value"
        await started.stop()


async def test_the_driver_logs_no_secret_however_much_is_logged(secrets: SecretsManagerVault) -> None:
    with observe.output() as output:
        await secrets.set("openai", SecretStr("sk-very-secret-7331"))
        await secrets.get("openai")
    assert "sk-very-secret-7331" not in output.text


@pytest.mark.parametrize(
    ("usual", "own", "heard"),
    [("DEBUG", "NOTSET", "INFO"), ("ERROR", "NOTSET", "ERROR"), ("ERROR", "DEBUG", "DEBUG")],
    ids=["secrets-are-kept-out", "no-louder-than-before", "as-somebody-wants-it"],
)
async def test_the_start_lets_the_driver_log_no_more_than_before(moto: Moto, usual: str, own: str, heard: str) -> None:
    loggers = [logging.getLogger(name) for name in (None, "botocore", "aiobotocore")]
    levels = [logger.level for logger in loggers]
    for logger, level in zip(loggers, (usual, own, own), strict=True):
        logger.setLevel(level)
    try:
        started = moto.vault()
        await started.start()
        await started.stop()
        found = {logging.getLogger(f"{name}.auth").getEffectiveLevel() for name in ("botocore", "aiobotocore")}
        assert found == {logging.getLevelName(heard)}
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
