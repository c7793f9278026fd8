"""The program of the worker: one script, run once, with limits.

It is started as a file and imports nothing of ours but its neighbour, since a run has to begin in milliseconds. On
standard input it gets one JSON object, `{"code", "inputs", "seconds", "bytes"}`, and answers on standard output with
another: `value`, when `main` returned one, or `error`, and `console`.
"""

import importlib.util
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import quickjs  # type: ignore[import-untyped]

__all__ = ["main"]

_STACK = 2**20
_OUTPUT = 16 * 2**20
"""Bytes of JSON that a run may return."""
_CONSOLE = 2**20
"""Bytes more than a script had, to read what it wrote on the console."""
_OWN = 512 * 2**20
"""Bytes of address space for Python and for copies of what goes in and out, beside the script's memory."""
_NOTHING = "\n;void 0"
"""What a script is worth: Python has no form for some values that its last line may have."""
_HERE = Path(__file__)


class _ScriptError(Exception):
    """What the author of the script is told."""


class _LimitError(_ScriptError):
    """The script used up its time or its memory."""


class _Run:
    """One script in an engine of its own."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._seconds: float = order["seconds"]
        self._mebibytes = order["bytes"] // 2**20
        self._end: float = time.monotonic() + self._seconds
        self._engine = quickjs.Context()
        self._engine.set_max_stack_size(_STACK)
        self._host = self._engine.eval(_HERE.with_name("prelude.js").read_text(encoding="utf-8"))
        self._engine.set_memory_limit(order["bytes"])

    def answer(self) -> dict[str, Any]:
        """What comes out, also of a script that fails."""
        try:
            found = self._result()
        except _ScriptError as failure:
            found = {"error": str(failure)}
        # A script may have used up its time and its memory.
        self._engine.set_time_limit(1)
        self._engine.set_memory_limit(self._order["bytes"] + _CONSOLE)
        with suppress(quickjs.JSException):
            found["console"] = json.loads(self._host("lines", ""))
        return found

    def _result(self) -> dict[str, Any]:
        program = _neighbour("parameters").read_program(self._order["code"])
        if program.imports:
            raise _ScriptError("the code imports a module, and there are none here")
        self._try(lambda: self._engine.eval(program.code + _NOTHING))
        given = json.dumps({"names": program.parameters, "inputs": self._order["inputs"]})
        if self._try(lambda: self._host("start", given)):
            raise _ScriptError("the code has no function main")
        self._settle()
        if error := json.loads(self._ask("error")):
            raise self._failure(error)
        try:
            text = self._ask("value")
        except _LimitError:
            raise
        except _ScriptError as failure:
            reason = str(failure).partition("\n")[0]
            raise _ScriptError(f"what main returned has no form in JSON: {reason}") from failure
        if text == "":
            return {}
        if text is None:
            raise _ScriptError("what main returned has no form in JSON: it is a function or a symbol")
        if len(text) > _OUTPUT:
            raise _ScriptError(f"what main returned has {len(text)} characters in JSON; {_OUTPUT} is the most")
        try:
            return {"value": json.loads(text)}
        except RecursionError:
            raise _ScriptError("what main returned is nested too deep") from None

    def _settle(self) -> None:
        """Let promises and timers go on until the one that main gave is settled."""
        while True:
            while self._try(self._engine.execute_pending_job):
                pass
            if self._ask("settled"):
                return
            pause = self._ask("pause")
            if pause < 0:
                raise _ScriptError("main waits for a promise that nothing will settle")
            left = self._left()
            if pause / 1000 > left:
                raise self._late()
            time.sleep(pause / 1000)
            self._ask("fire")

    def _ask(self, command: str) -> Any:
        return self._try(lambda: self._host(command, ""))

    def _try(self, step: Any) -> Any:
        self._engine.set_time_limit(self._left())
        try:
            return step()
        except quickjs.JSException as error:
            raise self._failure(str(error)) from error
        except UnicodeDecodeError as error:
            raise _ScriptError("a text of the code has half of a pair of surrogates in it") from error

    def _left(self) -> float:
        left: float = self._end - time.monotonic()
        if left <= 0:
            raise self._late()
        return left

    def _failure(self, text: str) -> _ScriptError:
        """What the engine says, and in our words where a limit was reached."""
        if text.startswith("InternalError: interrupted"):
            return self._late()
        if text.startswith("InternalError: out of memory"):
            return _LimitError(f"the code used more than {self._mebibytes} MiB of memory")
        if text == "null":
            # What the engine throws when it has no memory left for an error.
            return _ScriptError(f"the code threw null, or used more than {self._mebibytes} MiB of memory")
        return _ScriptError(text)

    def _late(self) -> _LimitError:
        return _LimitError(f"the code ran longer than {self._seconds:g} seconds")


def main() -> None:
    """Read the order, run it, write the answer."""
    order = json.load(sys.stdin.buffer)
    _limit(order["bytes"] + _OWN, order["seconds"])
    try:
        answer = json.dumps(_Run(order).answer(), ensure_ascii=False)
    except RecursionError:
        answer = json.dumps({"error": "what main returned is nested too deep"})
    # Halves of pairs of surrogates are text in JavaScript, and nowhere else.
    sys.stdout.buffer.write(answer.encode("utf-8", "replace"))


def _limit(size: int, seconds: float) -> None:
    """A second wall around the engine's own limits, where the system has one."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, size), (resource.RLIMIT_CPU, int(seconds) + 5), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def _neighbour(name: str) -> ModuleType:
    """A module beside this file, without its package, which would import the runtime."""
    spec = importlib.util.spec_from_file_location(name, _HERE.with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no {name}.py beside the worker")
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses look for it.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
