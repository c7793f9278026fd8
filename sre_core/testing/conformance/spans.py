"""What the lifecycle kit watches a connector write into spans. The API is enough for it, so no SDK is needed."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from opentelemetry import trace

__all__ = ["Spans", "recorded"]

_CONTEXT = trace.SpanContext(trace_id=1, span_id=1, is_remote=False, trace_flags=trace.TraceFlags(1))


class Spans:
    """The names of spans, and everything that they were told as one text."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.text = ""

    def note(self, *parts: Any) -> None:
        """Keep what a span was told."""
        self.text += f"{parts}\n"


class _Span(trace.NonRecordingSpan):
    """Records after all: names, attributes, events, links, errors and status."""

    def __init__(self, spans: Spans) -> None:
        super().__init__(_CONTEXT)
        self._spans = spans

    def is_recording(self) -> bool:
        return True

    def set_attributes(self, attributes: Any) -> None:
        self._spans.note(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        self._spans.note(key, value)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self._spans.note(name, attributes)

    def add_link(self, context: trace.SpanContext, attributes: Any = None) -> None:
        self._spans.note(attributes)

    def update_name(self, name: str) -> None:
        self._spans.note(name)

    def set_status(self, status: Any, description: str | None = None) -> None:
        self._spans.note(description, getattr(status, "description", None))

    def record_exception(self, exception: BaseException, attributes: Any = None, *_: Any, **__: Any) -> None:
        self._spans.note("".join(traceback.format_exception(exception)), attributes)


class _Provider(trace.TracerProvider):
    """Gives tracers that record while somebody watches, and else leave all to the provider of the process."""

    watched: Spans | None = None

    def get_tracer(self, *scope: Any, **options: Any) -> trace.Tracer:
        return _Tracer(self, scope, options)


class _Tracer(trace.NoOpTracer):
    def __init__(self, provider: _Provider, scope: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._provider = provider
        self._scope = scope
        self._options = options

    def start_span(self, name: str, *arguments: Any, **options: Any) -> trace.Span:
        spans = self._provider.watched
        if spans is None:
            tracer = trace.get_tracer_provider().get_tracer(*self._scope, **self._options)
            return tracer.start_span(name, *arguments, **options)
        spans.names.append(name)
        spans.note(name, arguments, options, [link.attributes for link in options.get("links") or ()])
        return _Span(spans)


@cache
def _provider() -> _Provider:
    # Libraries keep the first tracer that does something, so there is one provider for the life of the process.
    return _Provider()


@contextmanager
def recorded() -> Iterator[Spans]:
    """Collects the spans that begin inside, from whatever library that has no tracer of another provider yet."""
    provider = _provider()
    with pytest.MonkeyPatch.context() as patch:
        # Set through the API, a provider is there to stay; and the process may have its own.
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        provider.watched = spans = Spans()
        try:
            yield spans
        finally:
            provider.watched = None
