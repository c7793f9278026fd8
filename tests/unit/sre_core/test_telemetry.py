"""Tests of spans: their parents, their attributes, and that an error leaves its code alone."""

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from sre_core.errors import NotFoundError
from sre_core.telemetry import Span
from tests.unit.sre_core.connectors.spans import recorded


def test_without_an_sdk_a_span_does_nothing() -> None:
    with Span("quiet", {"a": 1}) as span:
        span.set({"b": 2})
        assert not trace.get_current_span().is_recording()


def test_an_attached_span_is_the_parent_until_it_ends() -> None:
    with recorded() as spans:
        with Span("outer", {}):
            Span("inner", {}).end()
        Span("after", {}).end()
    by_name = {span.name: span for span in spans}
    inner = by_name["inner"].parent
    assert inner is not None
    assert inner.span_id == by_name["outer"].context.span_id
    assert by_name["after"].parent is None


def test_a_span_that_is_not_attached_is_nobodys_parent() -> None:
    with recorded() as spans:
        outer = Span("outer", {})
        Span("inner", {}).end()
        outer.end()
    assert all(span.parent is None for span in spans)


def test_attributes_can_be_added_while_it_runs() -> None:
    with recorded() as spans, Span("s", {"a": 1}) as span:
        span.set({"b": 2})
    assert dict(spans[0].attributes or {}) == {"a": 1, "b": 2}
    assert spans[0].status.status_code is StatusCode.UNSET


def test_an_error_leaves_its_code_or_its_type_and_no_message() -> None:
    with recorded() as spans:
        for error in (NotFoundError("hunter2"), KeyError("hunter2")):
            Span("s", {}).end(error)
    assert [(span.attributes or {})["error.type"] for span in spans] == ["connector.not_found", "KeyError"]
    assert all(span.status.status_code is StatusCode.ERROR for span in spans)
    assert all("hunter2" not in span.to_json() for span in spans)
