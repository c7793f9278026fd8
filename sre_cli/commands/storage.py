"""`sre storage`: move objects from one storage to another."""

from typing import Unpack

import click

from sre_cli.copying import CopyOptions, MakeCopy, copy_options, run_copy
from sre_cli.options import debug_option
from sre_core.connectors.base import Service

__all__ = ["storage"]


@click.group(epilog="\b\nExample:\n  sre storage copy default s3 --dry-run\n")
@debug_option
def storage() -> None:
    """Move what agents have stored."""


@storage.command(
    epilog="""\b
Examples:
  sre storage copy default s3 --dry-run       what would be copied
  sre storage copy default s3                 copy it, and check it
  sre storage copy default s3 --prefix agent/notes
"""
)
@copy_options
@debug_option
def copy(source: str, target: str, **options: Unpack[CopyOptions]) -> None:
    """Copy objects from one storage to another, with their ACLs, metadata and expiry.

    SOURCE and TARGET are ids of storages in sre.toml. What is in the target already, and the same, is left alone: after
    a failure or a kill, the same command goes on. Each object is read back. Nothing is deleted. Exits with 5 when
    something is not the same in the end.
    """
    run_copy(Service.STORAGE, _engine, source, target, **options)


def _engine() -> MakeCopy:
    from sre_core.migration.storage import StorageCopy

    return StorageCopy
