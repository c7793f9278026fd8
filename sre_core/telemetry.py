"""Spans through the OpenTelemetry API; without an SDK they cost next to nothing."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from opentelemetry import context, trace

__all__ = ["Span"]

# A proxy: it finds the provider that the application sets, also when that happens later.
_tracer = trace.get_tracer("sre_core")


class Span:
    """One span. `attach` makes it the parent of what follows, until `end`; `with` does both."""

    __slots__ = ("_span", "_token")

    def __init__(self, name: str, attributes: Mapping[str, Any]) -> None:
        self._span = _tracer.start_span(name, attributes=attributes)
        self._token: Any = None

    def __enter__(self) -> Self:
        self.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def attach(self) -> None:
        """Make this the current span, where spans are recorded at all."""
        if self._span.is_recording():
            self._token = context.attach(trace.set_span_in_context(self._span))

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes that became known."""
        if self._span.is_recording():
            self._span.set_attributes(attributes)

    def end(self, error: BaseException | None = None) -> None:
        """End the span; an error sets its status and `error.type`, never its message."""
        if self._token is not None:
            context.detach(self._token)
            self._token = None
        if error is not None and self._span.is_recording():
            kind = getattr(error, "code", type(error).__name__)
            self._span.set_attribute("error.type", kind)
            self._span.set_status(trace.StatusCode.ERROR, kind)
        self._span.end()
