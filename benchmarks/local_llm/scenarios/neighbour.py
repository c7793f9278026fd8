"""Writing while another process keeps a core busy."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.local_llm.setting import Setting, column
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import Workers

__all__ = ["measure"]

_PROMPT = "Write a very long story about a lighthouse."


def measure(setting: Setting) -> list[Row]:
    """Tokens per second of wall time, with as many threads as each side takes by itself.

    It says something only where there are two cores, and nothing else to do for them.
    """
    count, load = setting.size(96, 16), os.getloadavg()[0]
    note = f"load of {load:.1f} on {os.cpu_count()} cores before; it counts with 2 cores and a load near 0"
    print(f"neighbour: {note}", file=sys.stderr)
    alone: list[dict[str, dict[str, Any]]] = []
    busy: list[dict[str, dict[str, Any]]] = []
    with Workers() as workers:
        setting.connectors(workers, one_thread=False)
        setting.plain(workers, ["f32"], one_thread=False)
        workers.wait()
        workers.ask("decode", prompt=_PROMPT, count=8)
        for turn in range(setting.rounds(9)):
            alone.append(workers.ask("decode", first=turn, prompt=_PROMPT, count=count))
            with _spinning():
                busy.append(workers.ask("decode", first=turn, prompt=_PROMPT, count=count))
    before, during = column(alone, _rate), column(busy, _rate)
    bars = []
    for side, bar in (("auto", 0.9), ("torch", None), ("f32", None)):
        share = ratio({"busy": during[side], "alone": before[side]}, "busy", "alone")
        bars.append(Bar(against=f"{side}, alone", ratio=share, bar=bar, at_least=True, note=note))
    return [
        Row(name="write alone, all threads", unit="wall tokens/s", samples=before),
        Row(name="write beside a busy process", unit="wall tokens/s", samples=during, bars=bars),
    ]


def _rate(answer: dict[str, Any]) -> float:
    return float(answer["rate"])


@contextmanager
def _spinning() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
