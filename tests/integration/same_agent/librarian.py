"""An agent that uses every kind of resource, and says as JSON what came of it. It does not know where anything is."""

import asyncio
import json
from typing import Any

from sre_core.connectors import VectorRecord
from sre_sdk import Access, AccessDeniedError, Agent, Candidate, Model, NotFoundError, Runtime, SkillContext

BOOKS = {
    "emma": ([0.9, 0.1, 0.0], {"year": 1815, "tag": "novel"}, "Emma, by Jane Austen"),
    "walden": ([0.1, 0.9, 0.0], {"year": 1854, "tag": "essay"}, "Walden, by Henry David Thoreau"),
    "persuasion": ([0.8, 0.2, 0.1], {"year": 1817, "tag": "novel"}, "Persuasion, by Jane Austen"),
}


async def keep_note(title: str, text: str, context: SkillContext) -> str:
    """Keep a note, and count how many there are."""
    await context.storage.write(f"notes/{title}.txt", text, metadata={"by": "the librarian"})
    return f"note {await context.cache.increment('notes')}"


async def talked(agent: Agent) -> list[str]:
    """A chat of two turns, as it is stored."""
    chat = agent.chat("reader-1")
    for question in ("What is the capital of France?", "And what is the capital of Italy?"):
        await chat.prompt(question)
    return [message.text for message in await agent.chat("reader-1").messages()]


async def kept(agent: Agent) -> dict[str, Any]:
    """What a skill did."""
    agent.add_skill(keep_note)
    notes = (("milk", "Buy milk."), ("umlaut", "Grüße, 世界"), ("milk", "Buy more milk."))
    told = [await agent.call("keep_note", title=title, text=text) for title, text in notes]
    stored = {info.key: info.size async for info in agent.storage.list("notes")}
    info = await agent.storage.stat("notes/umlaut.txt")
    return {"told": told, "stored": stored, "metadata": dict(info.metadata), "type": info.content_type}


async def found(agent: Agent) -> list[Any]:
    """A search with a filter."""
    await agent.vectors.create("books", 3)
    records = [VectorRecord(id=id_, vector=v, metadata=m, text=text) for id_, (v, m, text) in BOOKS.items()]
    await agent.vectors.upsert("books", records)
    near = await agent.vectors.query("books", [1.0, 0.0, 0.0], k=5, where={"year": {"gte": 1815}, "tag": "novel"})
    gone = await agent.vectors.delete("books", ids=["walden", "missing"])
    return [[[match.id, round(match.score, 4), dict(match.metadata), match.text] for match in near], gone]


async def secrets(agent: Agent) -> list[str]:
    """A secret of its own, and one that is not there."""
    await agent.vault.set("agent/librarian/card", "4711")
    try:
        await agent.vault.get("agent/librarian/missing")
    except NotFoundError:
        return [(await agent.vault.get("agent/librarian/card")).get_secret_value(), *await agent.vault.names()]
    return ["found what is not there"]


async def shared(agent: Agent, runtime: Runtime) -> dict[str, str]:
    """What a friend may read, and a stranger may not."""
    await agent.storage.grant("notes", Candidate.agent("friend"), Access.READ)
    seen = {}
    for other in (Agent("Friend", runtime=runtime), Agent("Stranger", runtime=runtime)):
        try:
            seen[other.id] = await other.storage.of(Candidate.agent(agent.id)).read_text("notes/milk.txt")
        except AccessDeniedError:
            seen[other.id] = "denied"
    return seen


async def main() -> None:
    """All of it."""
    async with Runtime() as runtime:
        agent = Agent("Librarian", model=Model(temperature=0.0, max_tokens=16), runtime=runtime)
        results = {
            "talked": await talked(agent),
            "kept": await kept(agent),
            "found": await found(agent),
            "secrets": await secrets(agent),
            "shared": await shared(agent, runtime),
        }
    print(json.dumps(results, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
