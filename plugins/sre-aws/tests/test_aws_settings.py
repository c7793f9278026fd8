"""Settings, and what the plugin costs before it is used."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sre_aws import S3Settings, S3Storage, SecretsManagerSettings, SecretsManagerVault, register_connectors

from .aws_server import SECRET, credentials  # noqa: TID252 -- the folder of tests is no package


def test_the_plugin_brings_a_storage_and_a_vault() -> None:
    assert {S3Storage, SecretsManagerVault} <= set(register_connectors())


def test_importing_the_plugin_imports_no_driver() -> None:
    script = "import sys, sre_aws; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiobotocore", "boto3", "botocore", "aiohttp"} & set(loaded)


@pytest.mark.parametrize("kind", ["S3Storage", "SecretsManagerVault"])
def test_the_driver_is_imported_beside_the_event_loop(kind: str) -> None:
    script = f"""
import asyncio, sys, threading, sre_aws
from importlib.abc import MetaPathFinder
from sre_core.errors import ConfigError

class Watch(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("aiobotocore", "botocore"):
            print(threading.current_thread() is threading.main_thread())

async def main():
    kind = sre_aws.{kind}
    bucket = {{"bucket": "notes"}} if kind is sre_aws.S3Storage else {{}}
    # It finds no such file after it has imported the driver.
    made = kind(kind.settings_type(region="us-east-1", ca_file="/no/such/file", **bucket))
    try:
        await made.start()
    except ConfigError:
        pass
    await made.stop()

sys.meta_path.insert(0, Watch())
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"False"}


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"access_key_id": "A"}, "together"),
        ({"secret_access_key": "s"}, "together"),
        ({"session_token": "t"}, "session_token needs"),
        ({"access_key_id": "A", "secret_access_key": "s", "profile": "p"}, "not both"),
        ({"url": "localhost:9000"}, "http://"),
        ({"url": "https://A:s@localhost:9000"}, "secret_access_key instead"),
        ({"timeout": 0}, "timeout"),
        ({"retries": -1}, "retries"),
    ],
)
@pytest.mark.parametrize("kind", [S3Settings, SecretsManagerSettings])
def test_settings_that_contradict_each_other_are_refused(kind: Any, settings: dict[str, Any], wrong: str) -> None:
    needed = {"bucket": "notes"} if kind is S3Settings else {}
    with pytest.raises(ValidationError, match=wrong):
        kind(**needed, **settings)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, "bucket"),
        ({"bucket": ""}, "bucket"),
        ({"bucket": "notes", "prefix": "a/../b"}, "prefix"),
        ({"bucket": "notes", "prefix": "a//b"}, "prefix"),
        ({"bucket": "notes", "part_size": 1 << 20}, "part_size"),
    ],
)
def test_a_storage_needs_a_bucket_and_a_folder_in_it(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        S3Settings(**settings)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [({"prefix": "a b"}, "prefix"), ({"prefix": "a=b"}, "prefix"), ({"recovery_days": 3}, "recovery_days")],
)
def test_a_vault_has_names_and_days_that_aws_takes(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        SecretsManagerSettings(**settings)


def test_slashes_around_a_prefix_do_not_count() -> None:
    assert S3Settings(bucket="notes", prefix="/apps/notes/").prefix == "apps/notes"
    assert SecretsManagerSettings(prefix="/apps/").prefix == "apps"


def test_settings_show_no_secret() -> None:
    shown = f"{S3Settings(bucket='notes', session_token=SecretStr(SECRET), **credentials())!r}"
    assert SECRET not in shown
