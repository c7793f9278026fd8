"""What was said, as the API takes it: instructions apart, and then turns of user and assistant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sre_anthropic.wire import Wire, unwrap, wrap
from sre_core.errors import ConfigError
from sre_core.messages import Message, MessageRole

__all__ = ["Talk", "read", "write"]

_MARKED_TURNS = 2
_BEGUN = wrap("user", [b'{"type":"text","text":"(The talk begins.)"}'])
_OPENING = [Wire(role="user", message=_BEGUN, unthinking=_BEGUN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """`turns` are what one side says until the other one speaks; `thinks` is whether there are thoughts among it."""

    system: str
    turns: Sequence[Sequence[Wire]]
    thinks: bool

    @property
    def lacks_thoughts(self) -> bool:
        """Whether results go back to a model that began to answer without a thought, as that of another connector may.

        An answer goes on over calls and results, and models that think by budget do not begin to in the middle of it.
        """
        asked = len(self.turns) - 1
        while asked > 1 and any(one.is_result for one in self.turns[asked]):
            asked -= 2
        return asked < len(self.turns) - 1 and not any(one.thinks for one in self.turns[asked + 1])


def read(messages: Sequence[Message], wire: Callable[[Message], Wire]) -> Talk:
    """Sort messages. The API joins those of one role, and takes the results of parallel calls in one message only.

    Raises ConfigError when nothing is said, and what `wire` raises.
    """
    system: list[str] = []
    turns: list[list[Wire]] = []
    role, thinks = "", False
    for message in messages:
        if message.role is MessageRole.SYSTEM:
            if message.text.strip():
                system.append(message.text)
            continue
        one = wire(message)
        if not one.message:
            continue
        thinks = thinks or one.thinks
        if one.role == role:
            turns[-1].append(one)
        else:
            role = one.role
            turns.append([one])
    if not turns:
        raise ConfigError("the request says nothing", hint="give it a message with text or a file")
    if turns[0][0].role != "user":
        # The assistant opened the talk; the API wants the user first.
        turns.insert(0, _OPENING)
    return Talk(system="\n\n".join(system), turns=turns, thinks=thinks)


def write(talk: Talk, *, mark: bytes | None, thoughts: bool) -> bytes:
    """The messages, joined with commas. `mark` is put on the end of what the provider is to keep in its cache."""
    marked: set[int] = set()
    if mark is not None:
        # The last turn is to be kept, and the one before it is what was kept last time.
        asked = (number for number in range(len(talk.turns) - 1, -1, -1) if talk.turns[number][0].role == "user")
        marked = {number for number, _ in zip(asked, range(_MARKED_TURNS), strict=False)}
    written = []
    for number, turn in enumerate(talk.turns):
        whole = turn[0].message if thoughts else turn[0].unthinking
        if len(turn) > 1:
            parts = [one.message if thoughts else one.unthinking for one in turn]
            whole = wrap(turn[0].role, [unwrap(part) for part in parts if part])
        if number in marked and mark is not None:
            whole = whole[:-3] + b',"cache_control":' + mark + whole[-3:]
        if whole:
            written.append(whole)
    return b",".join(written)
