"""A workflow made in Python, run, and saved as a file."""

import asyncio

from sre_sdk import Agent, Component, WorkflowError

agent = Agent("Notary")

# Where it is entered: a skill, with the types of what it takes.
seal = agent.endpoint("seal", description="Seal a text.", inputs={"text": str, "copies": int})

# Its components, connected by their ports.
digest = Component.FHash(algorithm="sha256", encoding="hex").connect(Data=seal.out.body.text)
answer = Component.APIOutput(format="minimal").connect(seal=digest.out.Hash, copies=seal.out.body.copies)


async def main() -> None:
    print(await agent.call("seal", text="I owe you nothing.", copies="2"))
    agent.save("notary.smyth")
    print(await Agent.load("notary.smyth").call("seal", text="I owe you nothing.", copies=2))


try:
    digest.connect(Dtaa=seal.out.body.text)
except WorkflowError as error:
    print(f"{error}; {error.hint}")

asyncio.run(main())
