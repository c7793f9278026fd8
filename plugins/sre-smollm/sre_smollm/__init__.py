"""Plugin `smollm`: language models that run on this machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry
from sre_smollm.connector import SmolLM
from sre_smollm.models import entries
from sre_smollm.settings import SmolLMSettings

if TYPE_CHECKING:
    import click

__all__ = ["SmolLM", "SmolLMSettings", "register_commands", "register_connectors", "register_models"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (SmolLM,)


@hookimpl
def register_models() -> Iterable[ModelEntry]:
    """Those that are known by a short name."""
    return entries()


@hookimpl
def register_commands(cli: "click.Group") -> None:
    """`sre pull` and `sre bench-model`."""
    # Imported now: only the command line needs it.
    from sre_smollm.commands.bench_model import bench_model_command
    from sre_smollm.commands.pull import pull_command
    from sre_smollm.networks.selection import prepare

    cli.add_command(pull_command(prepare))
    cli.add_command(bench_model_command())
