"""The events of one prompt, as they happen."""

import asyncio

from sre_sdk import AccessDecided, Agent, RunFinished, SkillCalled, SkillReturned, TextDelta

agent = Agent("Calculator")


@agent.skill
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def main() -> None:
    async with agent.prompt('call add {"a": 2, "b": 3}').stream() as events:
        async for event in events:
            match event:
                case AccessDecided(access=access, resource=resource, allowed=allowed):
                    print(f"guard: {access} {resource}: {'yes' if allowed else 'no'}")
                case SkillCalled(name=name, arguments=arguments):
                    print(f"call: {name} {arguments}")
                case SkillReturned(result=result):
                    print(f"result: {result}")
                case TextDelta(text=text):
                    print(f"text: {text}")
                case RunFinished(usage=usage):
                    print(f"tokens: {usage.total_tokens}")

    async for piece in agent.prompt("only the text").text():
        print(repr(piece))


asyncio.run(main())
