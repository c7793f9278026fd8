"""Agents without async, for scripts and notebooks."""

from sre_sdk import sync

agent = sync.Agent("Helper")

with agent:
    print(agent.prompt("hello"))
    for event in agent.stream("hello again"):
        print(event.type)
