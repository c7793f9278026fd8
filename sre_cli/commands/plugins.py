"""`sre plugins`: what is installed, whether it keeps the rules, and a start for a new one."""

from pathlib import Path
from typing import Any

import click

from sre_cli.checked_connector import connector_maker
from sre_cli.commands.create import create_project
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, print_table, styled
from sre_cli.scaffold import check_free
from sre_core.config import load
from sre_core.plugins import PluginInfo, Plugins
from sre_core.testing.conformance.suite import Report, check

__all__ = ["plugins"]


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  sre plugins                          the same as sre plugins list
  sre plugins check storage:default    check what sre.toml configures
  sre plugins new acme                 start your own
""",
)
@debug_option
@click.pass_context
def plugins(context: click.Context) -> None:
    """List, check and start plugins."""
    if context.invoked_subcommand is None:
        context.invoke(list_, strict=False, as_json=False)


@plugins.command("list", epilog="\b\nExample:\n  sre plugins list --strict\n")
@click.option("--strict", is_flag=True, help="Exit with 3 if a plugin failed.")
@json_option
@debug_option
@click.pass_context
def list_(context: click.Context, *, strict: bool, as_json: bool) -> None:
    """List the installed plugins, what they offer, and why one failed."""
    infos = Plugins.load(load().config.plugins).infos
    if as_json:
        print_json([_as_dict(info) for info in infos])
    else:
        print_table(
            ("NAME", "VERSION", "OFFERS", "PROBLEM"),
            [(info.name, info.version or "", ", ".join(_offers(info)), info.error or "") for info in infos],
        )
    if strict and any(info.error for info in infos):
        context.exit(3)
