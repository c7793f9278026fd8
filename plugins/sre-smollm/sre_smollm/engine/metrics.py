"""What the engine tells OpenTelemetry, under the names of the GenAI conventions where they have one."""

from opentelemetry import metrics

from sre_smollm.engine.job import Job
from sre_smollm.engine.stats import EngineStats
from sre_smollm.networks.base import NetworkInfo

__all__ = ["Metrics"]

_COUNTERS = {
    "prompt_tokens": ("sre.llm.prompt.tokens", "{token}", "Tokens of prompts, computed or not."),
    "cached_tokens": ("sre.llm.prefix_cache.tokens", "{token}", "Tokens of prompts that were not computed."),
    "hits": ("sre.llm.prefix_cache.hits", "{sequence}", "Sequences whose first tokens were known."),
    "misses": ("sre.llm.prefix_cache.misses", "{sequence}", "Sequences of which nothing was known."),
    "evictions": ("sre.llm.prefix_cache.evictions", "{sequence}", "Sequences that were dropped to make room."),
    "written_tokens": ("sre.llm.written.tokens", "{token}", "Tokens that were written."),
    "forced_tokens": ("sre.llm.forced.tokens", "{token}", "Written tokens that had no alternative."),
    "steps": ("sre.llm.steps", "{step}", "Steps of the network."),
    "rows": ("sre.llm.rows", "{row}", "Sequences that were read in those steps, in all."),
    "preemptions": ("sre.llm.preemptions", "{sequence}", "Sequences at work that had to make room."),
}
_GAUGES = {
    "waiting": ("sre.llm.queue.length", "{request}", "Requests that wait."),
    "running": ("sre.llm.running", "{request}", "Requests that are answered now."),
    "kept_bytes": ("sre.llm.prefix_cache.size", "By", "Memory of what is kept."),
    "live_bytes": ("sre.llm.live.size", "By", "Memory of the sequences at work."),
}


class Metrics:
    """Instruments of one model; without an SDK they do nothing."""

    def __init__(self, info: NetworkInfo, *, system: str) -> None:
        meter = metrics.get_meter("sre.smollm")
        self._attributes = {
            "gen_ai.provider.name": system,
            "gen_ai.operation.name": "chat",
            "gen_ai.response.model": info.name,
        }
        self._first = meter.create_histogram(
            "gen_ai.server.time_to_first_token", unit="s", description="From the request to the first piece of a reply."
        )
        self._each = meter.create_histogram(
            "gen_ai.server.time_per_output_token", unit="s", description="Per token after the first piece."
        )
        self._whole = meter.create_histogram(
            "gen_ai.server.request.duration", unit="s", description="From the request to the end of the reply."
        )
        self._queue = meter.create_histogram("sre.llm.queue.time", unit="s", description="Before work began.")
        self._counters = {
            field: meter.create_counter(name, unit=unit, description=text)
            for field, (name, unit, text) in _COUNTERS.items()
        }
        self._gauges = {
            field: meter.create_up_down_counter(name, unit=unit, description=text)
            for field, (name, unit, text) in _GAUGES.items()
        }
        self._told = EngineStats()

    def finished(self, job: Job, *, now: float, error: Exception | None) -> None:
        """Tell how long a job took."""
        attributes = self._attributes if error is None else {**self._attributes, "error.type": type(error).__name__}
        self._whole.record(now - job.arrived, attributes)
        if job.admitted:
            self._queue.record(job.admitted - job.arrived, self._attributes)
        if job.first:
            self._first.record(job.first - job.arrived, self._attributes)
            if job.written > 1:
                self._each.record((now - job.first) / (job.written - 1), self._attributes)

    def tell(self, stats: EngineStats) -> None:
        """Tell what has changed since the last time."""
        for instruments in (self._counters, self._gauges):
            for field, instrument in instruments.items():
                change = getattr(stats, field) - getattr(self._told, field)
                if change:
                    instrument.add(change, self._attributes)
        self._told = stats
