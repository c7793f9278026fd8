"""Finished spans, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sre_core import telemetry

__all__ = ["recorded"]


@contextmanager
def recorded() -> Iterator[list[ReadableSpan]]:
    """The spans that end inside the block; complete after it."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans: list[ReadableSpan] = []
    # The provider of a process can be set once only, so this one is ours alone.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
        try:
            yield spans
        finally:
            spans += exporter.get_finished_spans()
