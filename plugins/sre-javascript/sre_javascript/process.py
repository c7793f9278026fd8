"""One run of a script, in a process of its own that ends with it."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from sre_core.components.process_places import process_places
from sre_core.errors import ComponentError

__all__ = ["Outcome", "run_script"]

_WORKER = Path(__file__).with_name("worker.py")
_GRACE = 10.0
"""Seconds for a process to start and to report, on a busy machine; the engine itself stops a script in time."""
_FROM_HERE = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
"""Of the environment, what a Python needs to start; secrets in it are nothing for a script."""
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: with a `value` when `returned`, with an `error` of the script, or with neither."""

    returned: bool = False
    value: Any = None
    error: str = ""
    console: str = ""


async def run_script(code: str, inputs: Mapping[str, Any], *, seconds: float, memory: int) -> Outcome:
    """Call the `main` of `code`, with `memory` bytes to use. A cancelled run is killed.

    Raises ComponentError when inputs have no form in JSON.
    """
    try:
        data = to_json(dict(inputs), inf_nan_mode="null", bytes_mode="base64")
    except ValueError as error:
        raise ComponentError("an input has no form in JSON", hint="give text, numbers, lists and objects") from error
    head = json.dumps({"code": code, "seconds": seconds, "bytes": memory}).encode()
    order = head[:-1] + b', "inputs": ' + data + b"}"
    environment = {name: os.environ[name] for name in _FROM_HERE if name in os.environ}
    # The engine is where this process found its packages, whichever way they were installed.
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        # A script's time does not begin while it waits for others to end.
        async with process_places(), asyncio.timeout(seconds + _GRACE):
            status, output, report = await _run_worker(order, environment)
    except TimeoutError:
        return Outcome(error=f"the code ran longer than {seconds:g} seconds")
    except OSError as error:
        raise ComponentError(f"cannot start a process for JavaScript: {error.strerror}") from error
    if status:
        return Outcome(error=_broken(status, report))
    try:
        answer = json.loads(output)
    except RecursionError:
        return Outcome(error="what main returned is nested too deep")
    return Outcome(
        returned="value" in answer,
        value=answer.get("value"),
        error=_told(answer.get("error", "")),
        console=answer.get("console", ""),
    )


async def _run_worker(order: bytes, environment: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """The exit status, standard output and standard error of a worker, which is killed if we are cancelled.

    Not with anyio.run_process: that waits for the process to end by itself when its task is cancelled by asyncio.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", str(_WORKER), stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
    )
    try:
        output, report = await process.communicate(order)
        return await process.wait(), output, report
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _broken(code: int, report: bytes) -> str:
    """What to say of a worker that ended before it could answer."""
    if b"MemoryError" in report or code < 0:
        return "the code used more memory or time than it may"
    last = report.decode(errors="replace").strip().rpartition("\n")[2]
    return f"the process for JavaScript ended with {code}: {last[:_LONGEST]}"


def _told(error: str) -> str:
    """The message and its place, of an error with the trace of the engine."""
    message, _, trace = error.partition("\n")
    place = _PLACE.search(trace)
    where = f" (line {place[1]}, column {place[2]})" if place else ""
    return message[:_LONGEST] + where
