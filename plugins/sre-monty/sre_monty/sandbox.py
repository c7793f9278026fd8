"""One run of Python in Monty; only a run imports this, and with it the interpreter."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json
from pydantic_monty import (
    AsyncMonty,
    CollectString,
    MontyConversionError,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySyntaxError,
    ResourceLimits,
)

from sre_core.components.process_places import process_places
from sre_core.errors import ComponentError
from sre_monty.program import Program, make_program, told_syntax

__all__ = ["Outcome", "run_code"]

_GRACE = 5.0
"""Seconds for a process to start and to report, on a busy machine."""
_OUTPUT = 16 * 2**20
"""Bytes of JSON that a run may return."""
_BITS = 14_000
"""Of the largest whole number that a run may return, about 4,200 digits: writing it down takes time by their square."""
_PRINTED = 65_536
"""Characters of what was printed that are kept."""
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: with a `value`, or with an `error` of the code."""

    value: Any = None
    error: str = ""
    printed: str = ""


async def run_code(code: str, inputs: Mapping[str, Any], *, seconds: float, memory: int) -> Outcome:
    """Run `code` with `memory` bytes to use. A cancelled run is killed.

    Raises ComponentError when inputs cannot be used.
    """
    try:
        program = make_program(code, inputs)
    except SyntaxError as error:
        return Outcome(error=told_syntax(error))
    printed = CollectString()
    try:
        value = _as_data(await _run(program, printed, seconds, memory))
    except MontyConversionError as error:
        raise ComponentError(f"an input is no data: {error}", hint="give text, numbers, lists and objects") from error
    except MontyError as error:
        return Outcome(error=_told(error, seconds, memory), printed=printed.output[:_PRINTED])
    except TimeoutError:
        return Outcome(error=_late(seconds), printed=printed.output[:_PRINTED])
    except _NoDataError as error:
        return Outcome(error=str(error), printed=printed.output[:_PRINTED])
    return Outcome(value=value, printed=printed.output[:_PRINTED])


class _NoDataError(Exception):
    """What code returned cannot go on."""


async def _run(program: Program, printed: CollectString, seconds: float, memory: int) -> Any:
    # A pool of one for one run: nothing stays in the process, and starting it takes milliseconds.
    pool = AsyncMonty(max_processes=1, request_timeout=seconds + _GRACE)
    limits: ResourceLimits = {"max_feed_duration_secs": seconds, "max_total_sleep_secs": seconds, "max_memory": memory}
    # The code's time does not begin while it waits for others to end.
    async with process_places(), asyncio.timeout(seconds + _GRACE), pool, pool.checkout(limits=limits) as session:
        return await session.feed_run(program.code, inputs=dict(program.variables), print_callback=printed)


def _as_data(value: Any) -> Any:
    """A value as JSON has it: tuples and sets as lists, dates as text."""
    if _has_huge_number(value):
        raise _NoDataError("the result has a number of more than 4,000 digits")
    try:
        data = to_json(value, inf_nan_mode="null", bytes_mode="base64")
    except (ValueError, RecursionError) as error:
        raise _NoDataError(f"the result has no form in JSON: {str(error)[:_LONGEST]}") from error
    if len(data) > _OUTPUT:
        raise _NoDataError(f"the result has {len(data)} bytes in JSON; {_OUTPUT} is the most")
    try:
        return from_json(data)
    except ValueError as error:
        raise _NoDataError(f"the result cannot be read as JSON: {str(error)[:_LONGEST]}") from error


def _has_huge_number(value: Any) -> bool:
    """Whether there is a number in it that would take minutes to be written, in this process."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, int) and item.bit_length() > _BITS:
            return True
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
    return False


def _told(error: MontyError, seconds: float, memory: int) -> str:
    """The type, the message and the line, of the limits in our words."""
    if isinstance(error, MontyCrashedError):
        return _late(seconds) if error.timed_out else "the process for Python ended before the code did"
    if not isinstance(error, MontyRuntimeError | MontySyntaxError):
        return str(error)[:_LONGEST]
    message = error.display(format="type-msg")
    if message.startswith(("TimeoutError: feed time limit", "TimeoutError: sleep limit")):
        return _late(seconds)
    if message.startswith("MemoryError: ") and "memory limit" in message:
        return f"the code used more than {memory // 2**20} MiB of memory, or printed more than 10 MiB"
    frames = error.traceback()
    return message[:_LONGEST] + (f" (line {frames[-1].line})" if frames else "")


def _late(seconds: float) -> str:
    return f"the code ran longer than {seconds:g} seconds"
