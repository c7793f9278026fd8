"""Texts found by their nearness to a question."""

import asyncio

from sre_core.connectors import VectorRecord
from sre_sdk import Agent

TEXTS = {"cats": "cats sleep all day", "ships": "ships cross the sea", "dogs": "dogs and cats like to play"}


async def main() -> None:
    async with Agent("Librarian") as agent:
        embeddings = await agent.llm.embed(list(TEXTS.values()))
        await agent.vectors.create("facts", dimension=len(embeddings[0]))
        records = [
            VectorRecord(id=name, vector=vector, text=text, metadata={"words": len(text.split())})
            for (name, text), vector in zip(TEXTS.items(), embeddings, strict=True)
        ]
        await agent.vectors.upsert("facts", records)

        (question,) = await agent.llm.embed(["what do cats do all day"])
        for match in await agent.vectors.query("facts", question, k=2):
            print(f"{match.score:.2f} {match.text}")
        found = await agent.vectors.query("facts", question, k=2, where={"words": {"gte": 5}})
        print([match.id for match in found])


asyncio.run(main())
