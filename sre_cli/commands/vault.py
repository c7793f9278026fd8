"""`sre vault`: keep secrets, and never show them by accident."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, Unpack

import click

from sre_cli.copying import CopyOptions, MakeCopy, copy_options, run_copy
from sre_cli.operator import OPERATOR, operator_config
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json
from sre_cli.streams import is_terminal, read_text
from sre_core.connectors.base import Service
from sre_core.connectors.vault import Vault
from sre_core.errors import NotFoundError, UnsupportedError
from sre_core.runtime import Runtime

__all__ = ["vault"]

T = TypeVar("T")

_which = click.option("--vault", "vault_id", metavar="ID", default="default", show_default=True, help="Which vault.")


@click.group(
    epilog="""\b
Examples:
  sre vault set openai              asks for the secret, without showing it
  pass show openai | sre vault set openai
  sre vault list
  sre vault get openai --reveal
"""
)
@debug_option
def vault() -> None:
    """Keep secrets.

    Settings then name them, as in: key = { vault = "openai" }
    """


@vault.command("list", epilog="\b\nExample:\n  sre vault list --json\n")
@_which
@json_option
@debug_option
def list_(vault_id: str, *, as_json: bool) -> None:
    """List the names of the secrets."""
    names = _with_vault(vault_id, lambda handle: handle.names())
    if as_json:
        print_json(names)
        return
    for name in names:
        click.echo(name)


@vault.command(epilog="\b\nExample:\n  sre vault get openai --reveal\n")
@click.argument("name")
@click.option("--reveal", is_flag=True, help="Print the secret itself.")
@_which
@debug_option
def get(name: str, vault_id: str, *, reveal: bool) -> None:
    """Say whether a secret is there, or print it with --reveal."""
    secret = _with_vault(vault_id, lambda handle: handle.get(name))
    click.echo(secret.get_secret_value() if reveal else f"{name} is set; --reveal prints it")


@vault.command("set", epilog='\b\nExamples:\n  sre vault set openai\n  printf %s "$KEY" | sre vault set openai\n')
@click.argument("name")
@click.argument("surplus", metavar="", nargs=-1)
@_which
@debug_option
def set_(name: str, surplus: tuple[str, ...], vault_id: str) -> None:
    """Keep a secret, read from a hidden prompt, or from standard input."""
    if surplus:
        # click's own message would repeat it, and logs keep what a terminal shows.
        raise click.UsageError(
            "A secret is never given on the command line, where the shell and other users can see it; "
            "leave it out, and paste it when asked."
        )
    if is_terminal():
        secret = str(click.prompt(f"Secret {name!r}", hide_input=True))
    else:
        secret = read_text("The secret").removesuffix("\n").removesuffix("\r")
    if not secret:
        raise click.UsageError("The secret is empty; nothing was kept.")
    _with_vault(vault_id, lambda handle: handle.set(name, secret))
    click.echo(f"Kept {name}.", err=True)


@vault.command(epilog="\b\nExample:\n  sre vault delete openai --yes\n")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_which
@debug_option
def delete(name: str, vault_id: str, *, yes: bool) -> None:
    """Forget a secret."""
    if not yes and is_terminal():
        click.confirm(f"Forget {name!r} for good?", abort=True)
    _with_vault(vault_id, lambda handle: _delete(handle, name))
    click.echo(f"Deleted {name}.", err=True)


@vault.command(
    epilog="""\b
Examples:
  sre vault copy default hashicorp --dry-run     which secrets would be copied
  sre vault copy default hashicorp               copy them, and check them
"""
)
@copy_options
@debug_option
def copy(source: str, target: str, **options: Unpack[CopyOptions]) -> None:
    """Copy secrets from one vault to another, with their ACLs; none is shown.

    SOURCE and TARGET are ids of vaults in sre.toml. What the target has already, and the same, is left alone. Each
    secret is read back. Nothing is deleted. Exits with 5 when something is not the same in the end.
    """
    run_copy(Service.VAULT, _engine, source, target, **options)


def _engine() -> MakeCopy:
    from sre_core.migration.vault import VaultCopy

    return VaultCopy


async def _delete(vault: Vault, name: str) -> None:
    """Forget a secret, or say that it is not forgotten: who believes that it is gone must be right."""
    if name not in await vault.names():
        raise NotFoundError(f"there is no secret {name!r}", hint="`sre vault list` shows the names")
    await vault.delete(name)
    if name in await vault.names():
        raise UnsupportedError(f"secret {name!r} is in the environment too", hint="unset its variable")


def _with_vault(vault_id: str, use: Callable[[Vault], Awaitable[T]]) -> T:
    async def open_and_use() -> T:
        async with Runtime(operator_config(vault_id, stored_acls=False)) as runtime:
            return await use(runtime.vault(OPERATOR, vault_id))

    return asyncio.run(open_and_use())
