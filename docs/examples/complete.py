"""A model called without an agent."""

import asyncio
from contextlib import aclosing

from sre_core.connectors import LLMRequest
from sre_sdk import Candidate, Message, Runtime


async def main() -> None:
    request = LLMRequest(messages=(Message.user("one two three"),), max_tokens=2)
    async with Runtime() as runtime:
        llm = runtime.llm(Candidate.user("ada"), "echo")
        completion = await llm.complete(request)
        print(repr(completion.message.text), completion.finish_reason, completion.usage.output_tokens)
        async with aclosing(llm.stream(request)) as chunks:
            print([chunk.text async for chunk in chunks])
        print([model.id for model in await llm.models()], sorted(llm.capabilities))


asyncio.run(main())
