"""Structured logs: silent until the application, or the CLI, says where they go."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from opentelemetry import trace

__all__ = ["Logger", "bound", "configure", "get_logger"]


class Logger(structlog.stdlib.BoundLogger):
    """A structlog logger over the standard library's, so that the host's logging set-up decides."""

    def enabled_for_debug(self) -> bool:
        """Whether a debug line would go anywhere: spares hot paths from building it."""
        return bool(self._logger.isEnabledFor(logging.DEBUG))


def get_logger(name: str) -> Logger:
    """The logger of a module.

    structlog's own default prints every level to standard output when nobody configured it, which a library
    must not do; so this binds to `logging`, which shows warnings only.
    """
    lazy = structlog.wrap_logger(
        logging.getLogger(f"sre.{name}"),
        wrapper_class=Logger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso"),
            _add_trace_ids,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return lazy.bind()  # type: ignore[no-any-return]  # typed as Any by structlog


def bound() -> Mapping[str, Any]:
    """What every line of the current task carries: in a run, its `run_id` and `agent_id`."""
    return structlog.contextvars.get_contextvars()


def _add_trace_ids(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the current span, in the hexadecimal form that tracing back ends show."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


def configure(
    *, level: str = "WARNING", style: Literal["console", "json"] = "console", stream: TextIO | None = None
) -> None:
    """Send the runtime's logs to `stream` (standard error by default). For applications, not libraries."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty())
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    logger = logging.getLogger("sre")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
