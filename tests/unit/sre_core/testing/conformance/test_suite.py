"""Tests of running a kit without a test file."""

from pathlib import Path

import pytest

from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.connectors import Connector, Service
from sre_core.errors import ConnectorError, PluginError
from sre_core.testing.conformance import session
from sre_core.testing.conformance.suite import check
from tests.unit.sre_core.testing.conformance.good import Good, GoodSettings, Kit


def memory_cache() -> Connector:
    return MemoryCache(MemoryCacheSettings())


def test_a_sound_connector_passes_the_kit_of_its_service() -> None:
    report = check(Service.CACHE, memory_cache)
    assert report.failed == ()
    assert report.ok
    assert "stop can be called twice" in report.passed
    assert "a deleted key is missing" in report.passed
    assert "a value reads back byte for byte (a-mebibyte)" in report.passed
    assert report.seconds > 0


class Unwell(Good):
    """Says that it is not healthy."""

    async def ping(self) -> None:
        raise ConnectorError("the server is unwell")


class Foreign(Good):
    """Quotes a secret in an error of its driver."""

    async def ping(self) -> None:
        raise KeyError("password=hunter2")


class Wrong(Good):
    """Answers with something else."""

    async def ping(self) -> None:
        answer = "pang"
        assert answer == "pong"


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Unwell, "ConnectorError: the server is unwell"), (Foreign, "KeyError at "), (Wrong, "assert")],
)
def test_a_failure_names_its_test_its_rule_and_what_happened(kind: type[Good], message: str) -> None:
    report = session.run(lambda: Kit, lambda: kind(GoodSettings()))
    assert not report.ok
    (failure,) = report.failed
    assert failure.test == "test_ping_says_that_it_is_healthy"
    assert failure.rule == "ping says that it is healthy"
    assert message in failure.message
    assert "hunter2" not in failure.message
    assert failure.rule not in report.passed


class Strict(Kit):
    """Has a rule that nothing keeps."""

    def test_an_error_is_due(self) -> None:
        with pytest.raises(ConnectorError):
            pass


def test_an_error_that_was_due_and_did_not_come_is_named() -> None:
    (failure,) = session.run(lambda: Strict).failed
    assert "DID NOT RAISE" in failure.message
    assert "ConnectorError" in failure.message


def test_the_pytest_of_the_folder_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('loaded')\n")
    (tmp_path / "test_mine.py").write_text("def test_mine(): assert False\n")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_module")
    report = session.run(lambda: Kit)
    assert report.ok
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert session.run(lambda: Kit, lambda: Unwell(GoodSettings())).failed
    assert capfd.readouterr() == ("", "")


def test_a_kit_that_cannot_be_read_is_an_error() -> None:
    def broken() -> type[Kit]:
        raise ImportError("no kit here")

    with pytest.raises(PluginError) as raised:
        session.run(broken)
    assert "no kit here" in (raised.value.hint or "")


@pytest.mark.parametrize("service", list(Service))
def test_each_service_has_a_kit(service: Service) -> None:
    kit = session.kit_of(service)
    assert kit.__name__.endswith("Conformance")
