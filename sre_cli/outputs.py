"""Files that commands write."""

from collections.abc import Iterable
from pathlib import Path

import click

__all__ = ["keep_inputs"]


def keep_inputs(output: Path | None, inputs: Iterable[str | Path]) -> None:
    """Refuse to write over a file that is read, by whatever name. Raises click.UsageError."""
    if output is not None and any(_is_same(output, Path(one)) for one in inputs):
        raise click.UsageError(f"{str(output)!r} is a file that is read here: write to another one.")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False
