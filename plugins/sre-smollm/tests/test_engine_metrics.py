"""What the engine tells OpenTelemetry."""

from contextlib import aclosing

import pytest
from opentelemetry.sdk import metrics
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from sre_smollm.engine.engine import Engine
from sre_smollm.engine.job import Job
from sre_smollm.engine.metrics import Metrics
from sre_smollm.engine.stats import EngineStats

from .engine_work import Watched, writing  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture
def reader(monkeypatch):
    reader = InMemoryMetricReader()
    provider = metrics.MeterProvider(metric_readers=[reader])
    # The provider of the process can be set only once, so it is only put in place for this test.
    monkeypatch.setattr("opentelemetry.metrics.get_meter", provider.get_meter)
    yield reader
    provider.shutdown()


def _told(reader):
    data = reader.get_metrics_data()
    metrics = [metric for part in data.resource_metrics for scope in part.scope_metrics for metric in scope.metrics]
    return {metric.name: metric.data.data_points[0] for metric in metrics}


async def test_times_and_counts_of_requests_are_told(reader, lively):
    engine = Engine(lambda: Watched(lively), system="smollm")
    await engine.start()
    for _ in range(2):
        async with aclosing(engine.run(writing(range(3, 40), 6))) as items:
            assert len([item async for item in items]) == 6
    await engine.stop()
    told = _told(reader)
    assert told["gen_ai.server.time_to_first_token"].count == 2
    assert told["gen_ai.server.time_per_output_token"].count == 2
    assert told["gen_ai.server.request.duration"].sum >= told["gen_ai.server.time_to_first_token"].sum > 0
    assert told["sre.llm.written.tokens"].value == 12
    assert told["sre.llm.prompt.tokens"].value == 2 * 37
    assert told["sre.llm.prefix_cache.tokens"].value == 36
    assert told["sre.llm.prefix_cache.hits"].value == told["sre.llm.prefix_cache.misses"].value == 1
    assert told["sre.llm.steps"].attributes["gen_ai.provider.name"] == "smollm"


def test_an_error_is_told_by_its_kind(reader, lively):
    metrics = Metrics(lively.info, system="smollm")
    metrics.finished(Job(lambda: writing([4], 1)(print)), now=1e9, error=LookupError())
    metrics.tell(EngineStats(waiting=3))
    metrics.tell(EngineStats(waiting=1))
    told = _told(reader)
    assert told["gen_ai.server.request.duration"].attributes["error.type"] == "LookupError"
    assert told["sre.llm.queue.length"].value == 1
