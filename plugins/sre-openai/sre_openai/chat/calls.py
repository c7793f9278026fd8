"""The calls of one stream of chat completions, put together from pieces that each server numbers in its own way."""

import json
from collections.abc import Mapping
from typing import Any

from sre_core.connectors.llm import CallDelta
from sre_openai.arguments import argument_text

__all__ = ["Calls"]


class _Call:
    """A call as far as it came."""

    __slots__ = ("id", "name", "number", "pieces", "shown")

    def __init__(self, number: int, given: str) -> None:
        self.number = number
        self.id = given or f"call_{number}"
        self.name = ""
        self.pieces: list[str] = []
        self.shown = False

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are an object that has ended, so that more of them would break it."""
        text = self.arguments.strip()
        if not text.endswith("}"):
            return False
        try:
            return isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            return False

    def show(self) -> CallDelta:
        """All of it."""
        self.shown = True
        return CallDelta(index=self.number, id=self.id, name=self.name, arguments=self.arguments)


class Calls:
    """Gives the pieces of calls numbered by call. Those of a call wait for its name, which a few servers send late.

    OpenAI numbers calls, and says id and name only once. Others give all calls one number or one id, or none, or
    repeat both with every piece.
    """

    __slots__ = ("_calls", "_numbered")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        # The call that each of their numbers stands for now.
        self._numbered: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, data: Mapping[str, Any]) -> CallDelta | None:
        """What a piece adds. Raises TypeError and the like for what is none."""
        function = data.get("function") or {}
        name, arguments = function.get("name") or "", argument_text(function.get("arguments"))
        given, index = data.get("id"), data.get("index")
        if not isinstance(name, str):
            raise TypeError("the name of a call is no text")
        given = "" if given is None else str(given)
        call = self._unnumbered(given, name) if index is None else self._numbered.get(index)
        if call is None or _begins_another(call, given, name, arguments):
            call = self._new(given, index)
        elif call.shown and name and arguments == call.arguments:
            # All of it, once more.
            return None
        elif given and not call.shown:
            call.id = given
        call.name = call.name or name
        if arguments:
            call.pieces.append(arguments)
        if not call.shown:
            return call.show() if call.name else None
        return CallDelta(index=call.number, arguments=arguments) if arguments else None

    def rest(self) -> list[CallDelta]:
        """Calls whose name never came."""
        return [call.show() for call in self._calls if not call.shown]

    def _new(self, given: str, index: int | None) -> _Call:
        call = _Call(len(self._calls), given)
        self._calls.append(call)
        if index is not None:
            self._numbered[index] = call
        return call

    def _unnumbered(self, given: str, name: str) -> _Call | None:
        """The call that a piece without a number belongs to; None for a new one."""
        same = next((call for call in reversed(self._calls) if call.id == given), None)
        if same is not None or not self._calls:
            return same
        last = self._calls[-1]
        goes_on = not name or (not given and name == last.name and last.pieces and not last.is_whole)
        return last if goes_on else None


def _begins_another(call: _Call, given: str, name: str, arguments: str) -> bool:
    """Whether a piece with the number of `call` is the first of another one."""
    if not call.shown:
        return False
    is_other = bool(given) and given != call.id
    if is_other and name:
        return True
    if not (is_other or name) or not arguments or not call.is_whole:
        return False
    return is_other or not given or arguments != call.arguments
