"""What plugins add to the command line."""

import click

from sre_core.config import Config, load
from sre_core.plugins import Plugins

__all__ = ["add_plugin_commands", "load_plugins"]


def load_plugins(config: Config) -> Plugins:
    """The plugins that the configuration lets in; those that fail are in `infos`, with their errors."""
    return Plugins.load(disabled=config.plugins.disabled, only=config.plugins.only)


def add_plugin_commands(group: click.Group) -> None:
    """Let plugins add their commands; one that fails is named on standard error. Raises ConfigError."""
    load_plugins(load().config).register_commands(group)
