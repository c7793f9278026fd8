"""`sre config`: what is in force, and who said so."""

from typing import Any

import click

from sre_cli.extensions import load_plugins
from sre_cli.masking import leaves
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, print_table
from sre_core.config import load

__all__ = ["config"]


@click.command(
    epilog="""\b
Examples:
  sre config
  sre config --json
  SRE_MODEL=echo sre config     variables come after sre.toml
"""
)
@json_option
@debug_option
def config(*, as_json: bool) -> None:
    """Show every setting and where it comes from.

    That is a default, sre.toml, or a variable of the environment. Secrets are shown as "***".
    """
    loaded = load().config
    values = {
        name: {"value": value, "source": loaded.source(name)}
        for name, value in leaves(loaded, load_plugins(loaded).connectors)
    }
    if as_json:
        print_json({"root": str(loaded.root), "data": str(loaded.data_folder), "values": values})
        return
    print_table(
        ("SETTING", "VALUE", "SOURCE"),
        [(name, _text(entry["value"]), str(entry["source"])) for name, entry in values.items()],
    )
    click.echo(f"\nData lies in {loaded.data_folder}")


def _text(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "{ " + ", ".join(f"{key} = {_text(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return "" if value is None else str(value)
