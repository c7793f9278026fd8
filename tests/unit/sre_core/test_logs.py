"""Tests of logs: nobody is disturbed before somebody asks, and then every line has its fields."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from sre_core import logs
from sre_core.telemetry import Span
from tests.unit.sre_core.connectors.spans import recorded


@pytest.fixture
def untouched() -> Iterator[None]:
    """The loggers as they were before, afterwards."""
    logger = logging.getLogger("sre")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def logged(level: str = "DEBUG") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level=level, style="json", stream=stream)
    return stream


def test_a_library_prints_nothing_but_warnings_by_itself() -> None:
    code = (
        "from sre_core import logs; log = logs.get_logger('x'); log.debug('low'); log.info('some'); log.warning('high')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "high" in done.stderr
    assert "low" not in done.stderr
    assert "some" not in done.stderr


@pytest.mark.usefixtures("untouched")
def test_a_line_has_its_event_its_keys_and_where_it_comes_from() -> None:
    stream = logged()
    with bound_contextvars(run_id="r1"):
        logs.get_logger("sre_core.x").info("thing_done", count=2)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp")
    assert line == {"event": "thing_done", "count": 2, "run_id": "r1", "level": "info", "logger": "sre.sre_core.x"}


@pytest.mark.usefixtures("untouched")
def test_lines_inside_a_span_carry_its_ids() -> None:
    stream = logged()
    with recorded() as spans, Span("outer", {}):
        logs.get_logger("x").info("inside")
    logs.get_logger("x").info("outside")
    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert int(inside["trace_id"], 16) == spans[0].context.trace_id
    assert int(inside["span_id"], 16) == spans[0].context.span_id
    assert "trace_id" not in outside


@pytest.mark.usefixtures("untouched")
def test_the_level_decides_also_for_loggers_made_before() -> None:
    log = logs.get_logger("early")
    stream = logged("WARNING")
    assert not log.enabled_for_debug()
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]
    logged("DEBUG")
    assert log.enabled_for_debug()


@pytest.mark.usefixtures("untouched")
def test_to_configure_twice_prints_once() -> None:
    logged()
    stream = logged()
    logs.get_logger("x").info("once")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.usefixtures("untouched")
def test_on_a_console_a_line_is_readable_text() -> None:
    stream = io.StringIO()
    logs.configure(level="info", stream=stream)
    logs.get_logger("x").info("thing_done", count=2)
    assert "thing_done" in stream.getvalue()
    assert "count=2" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
