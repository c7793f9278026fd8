"""Settings of connectors keep what they hold to themselves, and drivers load without holding up the loop."""

import sys
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from sre_core.connectors import Settings, import_drivers


class Keyed(Settings):
    key: SecretStr
    size: int = 1


@pytest.mark.parametrize(
    "given", [{"key": ["secret-4711"]}, {"key": "x", "size": "secret-4711"}, {"ky": "secret-4711"}]
)
def test_settings_that_are_refused_are_not_quoted(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        Keyed.model_validate(given)
    assert "secret-4711" not in str(refused.value)


@pytest.mark.anyio
async def test_drivers_are_imported_in_a_thread_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_driver.py").write_text("import threading\nloaded_by = threading.current_thread()\n")
    monkeypatch.syspath_prepend(tmp_path)
    await import_drivers("slow_driver", "json")
    loaded_by = sys.modules["slow_driver"].loaded_by
    assert loaded_by is not threading.current_thread()
    await import_drivers("slow_driver")
    assert sys.modules["slow_driver"].loaded_by is loaded_by


@pytest.mark.anyio
async def test_a_driver_that_is_not_there_is_an_error_of_the_import() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_driver"):
        await import_drivers("no_such_driver")
