"""The files of SmythOS, `.smyth`: read into a Workflow, and written back with nothing lost."""

import contextlib
import os
from pathlib import Path
from secrets import token_hex

from sre_core.errors import InvalidWorkflowError
from sre_core.workflows.graph import Workflow
from sre_core.workflows.smyth_reader import survey
from sre_core.workflows.smyth_writer import write

__all__ = ["read", "read_file", "write", "write_file"]


def read(text: str | bytes, *, path: str | None = None, id: str | None = None) -> Workflow:  # noqa: A002 -- its name
    """Read an agent, bare or wrapped as `{"data": …, "version": …}`. Raises InvalidWorkflowError with every problem.

    `id` takes the place of the one in the file. A file without one is called after `path`, where it came from, and
    else "agent". An id that is not legal, of the agent or its team, becomes one that is: see `legal_id`.
    """
    reading = survey(text, path=path, id=id)
    errors = reading.errors
    if reading.workflow is None or errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise InvalidWorkflowError(
            f"{path or 'the workflow'} cannot be used: {errors[0]}{more}",
            hint="`sre validate` lists all that is wrong with a file",
            problems=tuple(map(str, errors)),
        )
    return reading.workflow


def read_file(path: str | os.PathLike[str]) -> Workflow:
    """Read an agent's file. Raises OSError, InvalidWorkflowError."""
    place = Path(path)
    return read(place.read_bytes(), path=str(place))


def write_file(workflow: Workflow, path: str | os.PathLike[str], *, indent: int | None = None) -> None:
    """Write an agent's file, whole or not at all. Raises OSError, InvalidWorkflowError.

    A file that was there keeps its permissions, and a link still leads to it.
    """
    data = write(workflow, indent=indent).encode("utf-8")
    place = Path(path).resolve()
    made = place.with_name(f".{token_hex(8)}.tmp")
    try:
        with made.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            made.chmod(place.stat().st_mode & 0o7777)
        made.replace(place)
    except BaseException as error:
        with contextlib.suppress(OSError):
            made.unlink()
        if isinstance(error, OSError):
            # Else it would name a file that nobody asked for.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
