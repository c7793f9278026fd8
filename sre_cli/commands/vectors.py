"""`sre vectors`: move collections of vectors from one database to another."""

from typing import Unpack

import click

from sre_cli.copying import CopyOptions, MakeCopy, copy_options, run_copy
from sre_cli.options import debug_option
from sre_core.connectors.base import Service

__all__ = ["vectors"]


@click.group(epilog="\b\nExample:\n  sre vectors copy default milvus --dry-run\n")
@debug_option
def vectors() -> None:
    """Move collections of vectors."""


@vectors.command(
    epilog="""\b
Examples:
  sre vectors copy default milvus --dry-run      what would be copied
  sre vectors copy default milvus                copy it, and check it
  sre vectors copy default milvus --prefix team/support
"""
)
@copy_options
@debug_option
def copy(source: str, target: str, **options: Unpack[CopyOptions]) -> None:
    """Copy collections from one vector database to another, with all records and the ACLs.

    SOURCE and TARGET are ids of vector databases in sre.toml. Records that the target has already are left alone: after
    a failure or a kill, the same command goes on. In the end both sides are read and compared. Nothing is deleted.
    Exits with 5 when something is not the same in the end.
    """
    run_copy(Service.VECTORS, _engine, source, target, **options)


def _engine() -> MakeCopy:
    # It needs numpy.
    from sre_core.migration.vectors import VectorsCopy

    return VectorsCopy
