"""What an import and an idle agent cost."""

import subprocess
import sys
import tracemalloc

import sre_sdk
from sre_sdk import Agent

HEAVY = (
    "torch",
    "transformers",
    "numpy",
    "aiohttp",
    "fastapi",
    "structlog",
    "opentelemetry",
    "pluggy",
    "rich",
    "click",
)

CONSTRUCT = f"""
import sys
from sre_sdk import Agent

agent = Agent("a")

@agent.skill
def add(a: int, b: int) -> int:
    "Add."
    return a + b

print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_constructing_an_agent_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CONSTRUCT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_exported_name_exists():
    assert sorted(sre_sdk.__all__) == sorted(set(sre_sdk.__all__))
    for name in sre_sdk.__all__:
        assert getattr(sre_sdk, name) is not None


def test_an_idle_agent_costs_less_than_three_kilobytes():
    def one() -> int:
        """One."""
        return 1

    first = Agent("first", skills=[one])
    skill = first.skills["one"]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        agents = [Agent(f"agent {number}", behavior="kind", skills=[skill]) for number in range(1000)]
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (after - before) / len(agents) < 3 * 1024
