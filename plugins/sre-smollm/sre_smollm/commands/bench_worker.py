"""One engine, measured in a process of its own, so that its memory is its own: `sre bench-model` starts it."""

import asyncio
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from sre_core.errors import SREError
from sre_smollm.connector import SmolLM
from sre_smollm.engine.speed import Speed, measure
from sre_smollm.settings import SmolLMSettings

__all__ = ["Measured", "main", "measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one engine does on this machine; `memory_bytes` is the most that the process had, None if unknown."""

    engine: str
    device: str
    weights: str
    start_seconds: float
    memory_bytes: int | None
    speed: Speed


async def measured(settings: SmolLMSettings, *, context_tokens: int, avoid: int | None = None) -> Measured:
    """Start a connector, measure its engine, and stop it. Raises what these raise."""
    connector = SmolLM(settings)
    began = time.perf_counter()
    try:
        await connector.start()
        took = time.perf_counter() - began
        info = connector.engine.info
        speed = await measure(connector.engine, context_tokens=context_tokens, avoid=avoid)
    finally:
        await connector.stop()
    return Measured(
        engine=info.name,
        device=info.device,
        weights=info.weights,
        start_seconds=took,
        memory_bytes=_peak(),
        speed=speed,
    )


def main() -> int:
    """Read settings as JSON from standard input; write what was measured, or the error, as the last line of output."""
    # Ctrl-C reaches this process too; whoever started it says so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asked = json.load(sys.stdin)
    settings = SmolLMSettings.model_validate(asked["settings"])
    try:
        found = asyncio.run(measured(settings, context_tokens=asked["context_tokens"], avoid=asked["avoid"]))
    except SREError as error:
        click.echo(json.dumps({"error": error.message, "hint": error.hint}))
        return 1
    click.echo(json.dumps(asdict(found)))
    return 0


def _peak() -> int | None:
    status = Path("/proc/self/status")
    if status.is_file():
        # What the system counts for `getrusage` begins with the memory of whoever started the process.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    if sys.platform != "darwin":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
