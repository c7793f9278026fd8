"""Settings that make no sense, and a plugin that loads nothing heavy."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from sre_core.plugins import Plugins
from sre_gcp import GcsSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": ""},
        {"prefix": "/a"},
        {"prefix": "a/"},
        {"prefix": "a/../b"},
        {"endpoint": "storage.googleapis.com"},
        {"endpoint": "ftp://storage.googleapis.com"},
        {"endpoint": "http://host?query"},
        {"piece_bytes": 1 << 10},
        {"piece_bytes": (256 << 10) + 1},
        {"key": "{}", "anonymous": True},
        {"key": "{}", "key_file": "key.json"},
        {"retries": -1},
        {"timeout": 0},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GcsSettings.model_validate({"bucket": "bucket", **wrong})


def test_the_plugin_is_found_and_offers_its_storage() -> None:
    plugins = Plugins.load(only=("gcp",))
    assert [name for _, name in plugins.connectors if name == "gcs"] == ["gcs"]


def test_importing_the_plugin_loads_no_driver() -> None:
    code = "import sre_gcp, sys; print([m for m in sys.modules if m.startswith(('aiohttp', 'google', 'requests'))])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
