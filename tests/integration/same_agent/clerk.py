"""An agent that is a workflow, with a node for every kind of resource; says as JSON what came of it."""

import asyncio
import json
from typing import Any

from sre_sdk import Agent, Component, Model, Runtime

TEXTS = {
    "bread": "Knead the dough, let it rise for an hour, then bake it in a hot oven.",
    "cats": "Felines sleep for most of the day and hunt at dusk.",
    "money": "Interest rates were raised by the central bank in spring.",
}


def clerk(runtime: Runtime) -> Agent:
    """Its endpoints: learn a text, forget it, answer a question."""
    agent = Agent("Clerk", model=Model(temperature=0.0, max_tokens=16), runtime=runtime)

    learn = agent.endpoint("learn", inputs={"name": str, "text": str})
    name, text = learn.out.body.name, learn.out.body.text
    kept = Component.FileStore(name="texts/{{name}}.txt").connect(Data=text, name=name)
    known = Component.DataSourceIndexer(namespace="texts", id="{{name}}").connect(Source=text, name=name)
    seal = Component.FSign(signMethod="HMAC", hashType="sha256", key="{{KEY(seal)}}").connect(Data=text)
    # Nodes that wait for each other: what was said last is what a question finds.
    last = Component.MemoryWriteKeyVal(memoryName="desk", scope="ttl", key="last", value="{{name}}")
    last.connect(name=name, chunks=known.out.Success)
    Component.APIOutput(format="minimal").connect(seal=seal.out.Signature, last=last.out.Key, file=kept.out.Url)

    forget = agent.endpoint("forget", inputs={"name": str})
    gone = Component.DataSourceCleaner(namespaceId="texts", id="{{name}}").connect(name=forget.out.body.name)
    Component.APIOutput(format="minimal").connect(gone=gone.out.Success)

    ask = agent.endpoint("ask", inputs={"question": str})
    found = Component.DataSourceLookup(namespace="texts", topK=2, includeScore=True).connect(
        Query=ask.out.body.question
    )
    read = Component.MemoryReadKeyVal(memoryName="desk", key="last").connect(question=ask.out.body.question)
    said = Component.GenAILLM(model="default", temperature=0, maxTokens=16, prompt="What is the capital of France?")
    said.connect(question=ask.out.body.question)
    Component.APIOutput(format="minimal").connect(found=found.out.Results, last=read.out.Value, said=said.out.Reply)
    return agent


async def main() -> None:
    """All of it."""
    async with Runtime() as runtime:
        agent = clerk(runtime)
        await agent.vault.set("seal", "a secret of the notary's")
        results: dict[str, Any] = {"learned": []}
        for name, text in TEXTS.items():
            learned = await agent.call("learn", name=name, text=text)
            # A link where the storage makes links, and an address where it does not.
            stored = await agent.storage.read_text(f"components_data/texts/{name}.txt")
            results["learned"].append({**learned, "file": bool(learned["file"]), "stored": stored})
        results["asked"] = await agent.call("ask", question="How do I make a loaf?")
        results["forgotten"] = await agent.call("forget", name="bread")
        results["again"] = await agent.call("ask", question="How do I make a loaf?")
        for answer in (results["asked"], results["again"]):
            for match in answer["found"]:
                match["score"] = round(match["score"], 4)
    print(json.dumps(results, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
