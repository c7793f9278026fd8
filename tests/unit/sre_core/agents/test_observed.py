"""What a run leaves in traces and logs."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from structlog.contextvars import get_contextvars

from sre_core import telemetry
from sre_core.connectors import LLMRequest
from sre_core.errors import UnauthenticatedError


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))

    def finished():
        return {span.name: span for span in exporter.get_finished_spans()}

    return finished


async def test_a_run_and_its_turns_are_spans_with_the_usual_names(stage, spans):
    await stage.run("two words", prompt="one", base=LLMRequest(messages=(), model="scripted"))
    run, chat = spans()["invoke_agent a1"], spans()["chat scripted"]
    assert chat.parent.span_id == run.context.span_id
    assert chat.attributes["gen_ai.request.model"] == "scripted"
    assert chat.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    for span in (run, chat):
        assert span.attributes["gen_ai.usage.input_tokens"] == 1
        assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert run.attributes["gen_ai.agent.id"] == "a1"
    assert "two words" not in str(run.attributes) + str(chat.attributes)


async def test_a_failed_run_has_its_code_and_not_its_message(stage, spans):
    with pytest.raises(UnauthenticatedError):
        await stage.run(UnauthenticatedError("key 1234 is wrong"))
    for name in ("invoke_agent a1", "chat default"):
        span = spans()[name]
        assert span.attributes["error.type"] == "connector.unauthenticated"
        assert span.status.status_code is StatusCode.ERROR
        assert "1234" not in span.to_json()


async def test_log_lines_within_a_run_carry_its_ids(stage, asks):
    seen = []

    def look() -> None:
        seen.append(get_contextvars())

    await stage.run(asks(("look", "{}")), "ok", skills=[look])
    assert seen == [{"run_id": "r1", "agent_id": "a1"}]
    assert get_contextvars() == {}
