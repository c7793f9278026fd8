"""Components with language models, on a workbench whose model repeats what it is told."""

import asyncio

from sre_core.components.node import OutputPort
from sre_core.testing.bench import bench


async def main() -> None:
    async with bench() as b:
        print(await b.run("GenAILLM", {"prompt": "Greet {{Name}}."}, inputs={"Name": "Ann"}))
        weather = {"prompt": "The weather in {{City}}: {sky: 'clear', degrees: 21,}"}
        print(await b.run("GenAILLM", weather, inputs={"City": "Graz"}, outputs=["sky", "degrees"]))
        print(await b.run("GenAILLM", {"prompt": "one two three", "maxTokens": "2"}))
        mails = [OutputPort(name="Praise", description="The customer is happy."), OutputPort(name="Complaint")]
        print(await b.run("Classifier", inputs={"Input": '{"Praise": true}'}, outputs=mails))
        talk = {"UserInput": "I am Ann.", "UserId": "u1", "ConversationId": "c1"}
        print(await b.run("LLMAssistant", {"behavior": "You are kind."}, inputs=talk))


asyncio.run(main())
