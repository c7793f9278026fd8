"""From a cold interpreter to an agent with one skill."""

import sys

from benchmarks.bench import Bench, run_once
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]

_SKILL = '''
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b
'''
_OURS = f"from sre_sdk import Agent\n{_SKILL}\nAgent('one', skills=[add])"
_BARE = "import aiohttp"
_AGNO = f"""
from agno.agent import Agent
from agno.models.openai import OpenAIChat
{_SKILL}
Agent(model=OpenAIChat(id='m', base_url='http://127.0.0.1:1/v1', api_key='none'), tools=[add], telemetry=False)
"""


def measure(bench: Bench) -> list[Row]:
    """CPU and wall time of whole processes, in turns."""
    commands = {"ours": [sys.executable, "-c", _OURS], "bare": [sys.executable, "-c", _BARE]}
    if bench.peer is not None:
        commands["agno"] = [str(bench.peer), "-c", _AGNO]
    for command in commands.values():
        run_once(command)
    cpu: dict[str, list[float]] = {side: [] for side in commands}
    wall: dict[str, list[float]] = {side: [] for side in commands}
    for _ in range(bench.count(20)):
        for side, command in commands.items():
            used = run_once(command)
            cpu[side].append(used["cpu"] * 1e3)
            wall[side].append(used["wall"] * 1e3)
    bars = (
        Bar(against="agno", ratio=ratio(cpu, "ours", "agno"), bar=0.45, goal=0.3),
        Bar(against="import aiohttp", ratio=ratio(cpu, "ours", "bare")),
    )
    return [
        Row(name="import and construct an agent", unit="CPU ms", samples=cpu, bars=bars),
        Row(
            name="import and construct an agent",
            unit="wall ms",
            samples=wall,
            bars=(Bar(against="agno", ratio=ratio(wall, "ours", "agno"), bar=0.45, goal=0.3),),
        ),
    ]
