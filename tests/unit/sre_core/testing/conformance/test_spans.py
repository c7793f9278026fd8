"""What the kit sees of spans, and that it leaves the spans of others alone."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sre_core.testing.conformance.spans import recorded

# As libraries get theirs, when they are imported.
tracer = trace.get_tracer("library")


def test_spans_are_seen_of_tracers_that_were_there_before() -> None:
    link = trace.Link(trace.INVALID_SPAN_CONTEXT, {"link": "a"})
    with recorded() as spans, tracer.start_as_current_span("outer", attributes={"key": "b"}, links=[link]) as span:
        assert span.is_recording()
        assert trace.get_current_span() is span
        tracer.start_span("inner").end()
    assert spans.names == ["outer", "inner"]
    assert all(text in spans.text for text in ("{'link': 'a'}", "{'key': 'b'}"))


def test_each_watch_sees_its_own_spans() -> None:
    with recorded() as first:
        tracer.start_span("one").end()
    with recorded() as second:
        tracer.start_span("two").end()
    assert (first.names, second.names) == (["one"], ["two"])


def test_afterwards_spans_go_where_the_process_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded() as spans:
        kept = trace.get_tracer("other library", "1.0")
        kept.start_span("seen").end()
    assert not kept.start_span("lost").is_recording()
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # What `trace.set_tracer_provider` does once for all.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    kept.start_span("exported", attributes={"key": "a"}).end()
    (span,) = exporter.get_finished_spans()
    assert (span.name, dict(span.attributes or {})) == ("exported", {"key": "a"})
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, span.instrumentation_scope.version) == ("other library", "1.0")
    assert spans.names == ["seen"]
