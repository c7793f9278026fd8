"""The command `sre`: its sub-commands, and what becomes of their failures."""

import difflib
import sys

import click

from sre_cli import failures, streams
from sre_cli.lazy_group import Entry, LazyGroup
from sre_cli.options import Session, debug_option
from sre_core.errors import SREError

__all__ = ["Root", "cli", "main"]

_COMMANDS = {
    "create": Entry("sre_cli.commands.create:create", "Start a project: an agent or a plugin."),
    "run": Entry("sre_cli.commands.run:run", "Give an agent one prompt and print its reply."),
    "chat": Entry("sre_cli.commands.chat:chat", "Talk with an agent."),
    "call": Entry("sre_cli.commands.call:call", "Call a skill of an agent, and print what it returns."),
    "debug": Entry("sre_cli.commands.debug:debug", "Run a skill of a workflow node by node."),
    "agent": Entry("sre_cli.commands.agent:agent", "Run an agent's file as SmythOS's command does."),
    "validate": Entry("sre_cli.commands.validate:validate", "Find everything that is wrong with workflow files."),
    "graph": Entry("sre_cli.commands.graph:graph", "Draw a workflow."),
    "plugins": Entry("sre_cli.commands.plugins:plugins", "List, check and start plugins."),
    "config": Entry("sre_cli.commands.config:config", "Show every setting and where it comes from."),
    "doctor": Entry("sre_cli.commands.doctor:doctor", "Check that everything here works."),
    "models": Entry("sre_cli.commands.models:models", "Show the catalogue of models."),
    "vault": Entry("sre_cli.commands.vault:vault", "Keep secrets."),
    "storage": Entry("sre_cli.commands.storage:storage", "Move what agents have stored."),
    "vectors": Entry("sre_cli.commands.vectors:vectors", "Move collections of vectors."),
}

_EPILOG = """\b
Examples:
  sre create notes                        start a project
  sre run agent.py "What is on today?"    ask the agent in agent.py
  sre chat                                talk with the default model

\b
Plugins may add commands; `sre plugins` lists them.
Completion, for bash (or zsh, fish):
  eval "$(_SRE_COMPLETE=bash_source sre)"

\b
Exit codes: 0 all went well, 2 wrong usage, 3 configuration or plugin,
4 access denied, 5 a connector failed, 130 Ctrl-C, 1 anything else.
"""


class Root(LazyGroup):
    """The outermost group: plugins add to it, and every error of the runtime ends in it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Look among our commands first; only an unknown name makes the plugins load."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            # Imported now: plugins need the whole runtime, and help must not wait for it.
            from sre_cli.extensions import add_plugin_commands

            add_plugin_commands(self)
            found = super().get_command(ctx, cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; answer a misspelt one with the near one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close:
                raise
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {close[0]!r}?", ctx) from error

    def invoke(self, ctx: click.Context) -> None:
        """Run the command, and turn what fails into a line or two and an exit code."""
        session = Session.of(ctx)
        try:
            # Imported now, since help and version write no log.
            from sre_core import logs

            if not session.debug:
                logs.configure()
            super().invoke(ctx)
            # A reader that has gone is noticed here, not when Python exits.
            sys.stdout.flush()
        except (SREError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                # click ends such a process without a word.
                raise
            ctx.exit(failures.report(error, debug=session.debug))
        except (KeyboardInterrupt, click.Abort):
            # The terminal shows "^C" without an end of line.
            click.echo(err=True)
            ctx.exit(failures.INTERRUPTED)


@click.group(
    cls=Root,
    name="sre",
    entries=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="sre-runtime", prog_name="sre")
@debug_option
def cli() -> None:
    """Agents with guarded resources, local first."""


def main() -> None:
    """Entry point of the process."""
    sys.excepthook = failures.hook
    streams.prepare()
    cli(prog_name="sre")
