"""Settings that make no sense, and a plugin that loads nothing heavy."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from sre_azure import AzureSettings
from sre_core.plugins import Plugins


@pytest.mark.parametrize(
    "wrong",
    [
        {"container": ""},
        {"account": None},
        {"prefix": "/a"},
        {"prefix": "a/"},
        {"prefix": "a/../b"},
        {"endpoint": "account.blob.core.windows.net"},
        {"endpoint": "ftp://host"},
        {"endpoint": "https://host?sig=1"},
        {"account_key": "a", "sas_token": "b"},
        {"connection_string": "AccountName=a"},
        {"piece_bytes": 1},
        {"retries": -1},
        {"timeout": 0},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AzureSettings.model_validate({"container": "container", "account": "account", **wrong})


def test_the_plugin_is_found_and_offers_its_storage() -> None:
    plugins = Plugins.load(only=("azure",))
    assert [name for _, name in plugins.connectors if name == "azure"] == ["azure"]


def test_importing_the_plugin_loads_no_driver() -> None:
    code = "import sre_azure, sys; print([m for m in sys.modules if m.startswith(('aiohttp', 'azure.', 'requests'))])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
