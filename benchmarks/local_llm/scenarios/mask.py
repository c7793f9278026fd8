"""What a grammar costs for each token, and how many tokens it saves."""

from typing import Any

from benchmarks.local_llm.setting import Setting
from benchmarks.result import Bar, Row
from benchmarks.workers import Workers

__all__ = ["measure"]


def measure(setting: Setting) -> list[Row]:
    """CPU time on one thread, for the calls of the benchmark's own prompts."""
    found: list[dict[str, Any]] = []
    with Workers() as workers:
        setting.networks(workers, ["auto"])
        workers.wait()
        job = {"count": setting.size(15, 3)}
        found += [workers.ask_one("auto", "mask", **job) for _ in range(setting.rounds(5))]
    # The first round compiles the grammars; later ones find them.
    ready = [1e3 * found[0]["ready"]]
    token = [1e3 * answer["token"] for answer in found]
    mask = [1e3 * answer["mask"] for answer in found]
    share = sorted(one / other for one, other in zip(mask, token, strict=True))[len(found) // 2]
    forced = [100 * answer["forced"] / answer["written"] for answer in found]
    return [
        Row(name="a token", unit="CPU ms", samples={"auto": token}),
        Row(
            name="the grammar, for each token that is picked",
            unit="CPU ms",
            samples={"auto": mask},
            bars=(Bar(against="a token", ratio=share, bar=0.05),),
        ),
        Row(
            name="tokens of a call that need no choice",
            unit="%",
            samples={"auto": forced},
            bars=(Bar(against="all of them", ratio=forced[0] / 100, bar=0.25, goal=0.4, at_least=True),),
        ),
        Row(name="the grammar of 5 skills, from nothing", unit="CPU ms", samples={"auto": ready}),
    ]
