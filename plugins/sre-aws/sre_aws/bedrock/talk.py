"""What was said, as the API takes it: instructions apart, and then turns of user and assistant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sre_aws.bedrock.wire import Block, Wire
from sre_core.errors import ConfigError
from sre_core.messages import Message, MessageRole

__all__ = ["Form", "Talk", "read", "write"]

Form = Literal["blocks", "unthinking", "plain"]
"""One of the forms of a message in Wire."""

_MARKED_TURNS = 2
_BEGUN: tuple[Block, ...] = ({"text": "(The talk begins.)"},)
_OPENING = Wire(role="user", blocks=_BEGUN, unthinking=_BEGUN, plain=_BEGUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """`turns` are what one side says until the other one speaks; `thinks` is whether there are thoughts among it, and
    `uses_tools` whether there are calls of skills, or results."""

    system: str
    turns: Sequence[Sequence[Wire]]
    thinks: bool
    uses_tools: bool

    @property
    def lacks_thoughts(self) -> bool:
        """Whether results go back to a model that began to answer without a thought, as that of another connector may.

        An answer goes on over calls and results, and models that think by budget do not begin to in the middle of it.
        """
        asked = len(self.turns) - 1
        while asked > 1 and any("toolResult" in block for one in self.turns[asked] for block in one.blocks):
            asked -= 2
        return asked < len(self.turns) - 1 and not any(one.thinks for one in self.turns[asked + 1])


def read(messages: Sequence[Message], wire: Callable[[Message], Wire]) -> Talk:
    """Sort messages. The API wants turns that alternate, with all results of parallel calls in one.

    Raises ConfigError when nothing is said, and what `wire` raises.
    """
    system: list[str] = []
    turns: list[list[Wire]] = []
    role, thinks, uses_tools = "", False, False
    for message in messages:
        if message.role is MessageRole.SYSTEM:
            if message.text.strip():
                system.append(message.text)
            continue
        one = wire(message)
        if not one.blocks:
            continue
        thinks = thinks or one.thinks
        uses_tools = uses_tools or one.uses_tools
        if one.role == role:
            turns[-1].append(one)
        else:
            role = one.role
            turns.append([one])
    if not turns:
        raise ConfigError("the request says nothing", hint="give it a message with text or a file")
    if turns[0][0].role != "user":
        # The assistant opened the talk; the API wants the user first.
        turns.insert(0, [_OPENING])
    return Talk(system="\n\n".join(system), turns=turns, thinks=thinks, uses_tools=uses_tools)


def write(talk: Talk, *, mark: Block | None, form: Form) -> list[dict[str, Any]]:
    """The messages. `mark` is put after what the provider is to keep in its cache."""
    marked: set[int] = set()
    if mark is not None:
        # The last turn is to be kept, and the one before it is what was kept last time.
        asked = (number for number in range(len(talk.turns) - 1, -1, -1) if talk.turns[number][0].role == "user")
        marked = {number for number, _ in zip(asked, range(_MARKED_TURNS), strict=False)}
    written: list[dict[str, Any]] = []
    for number, turn in enumerate(talk.turns):
        content: list[Block] = []
        for one in turn:
            content += getattr(one, form)
        if not content:
            continue
        if number in marked and mark is not None:
            content.append(mark)
        if written and written[-1]["role"] == turn[0].role:
            # What the assistant said between was nothing but thought.
            written[-1]["content"] += content
        else:
            written.append({"role": turn[0].role, "content": content})
    return written
