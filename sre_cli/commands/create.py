"""`sre create`: start a project from a template."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click

from sre_cli.options import debug_option
from sre_cli.scaffold import check_free, make_project, package_name, template_names
from sre_cli.streams import is_terminal
from sre_core.errors import ConfigError
from sre_core.providers import PROVIDERS

__all__ = ["create", "create_project"]

DEFAULT_MODEL = "smollm"
"""What runs on this machine when nothing else is configured."""

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_./:-]*)?")


@click.command(
    epilog="""\b
Examples:
  sre create                              ask for everything
  sre create notes --yes                  an agent, with what is usual
  sre create acme --template plugin       a connector for others to install
  sre create notes --model echo --path ../notes
"""
)
@click.argument("name", required=False)
@click.option("--template", type=click.Choice(["agent", "plugin"]), help="What to create.  [default: agent]")
@click.option("--path", type=click.Path(path_type=Path), help="The folder to create.  [default: ./NAME]")
@click.option("--model", help=f"The model of the agent, as CONNECTOR or CONNECTOR/MODEL.  [default: {DEFAULT_MODEL}]")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing; take the defaults.")
@debug_option
def create(name: str | None, template: str | None, path: Path | None, model: str | None, *, yes: bool) -> None:
    """Start a project: an agent or a plugin.

    On a terminal it asks for what is missing. An existing folder is never written into unless it is empty.
    """
    asks = is_terminal() and not yes
    if name is None:
        if not asks:
            raise click.UsageError("Missing argument 'NAME'.")
        name = str(click.prompt("Name of the project", value_proc=_legal_name))
    package_name(name)
    if template is None:
        template = click.prompt("Template", default="agent", type=click.Choice(template_names())) if asks else "agent"
    if template == "plugin" and model is not None:
        raise click.UsageError("A plugin has no model; --model is for agents.")
    if path is None:
        path = Path(click.prompt("Folder", default=name, value_proc=_free_folder) if asks else name)
    check_free(path)
    if template == "agent" and model is None:
        model = str(click.prompt("Model", default=DEFAULT_MODEL, value_proc=_legal_model)) if asks else DEFAULT_MODEL
    create_project(name, template=template, path=path, model=model)


def create_project(name: str, *, template: str, path: Path, model: str | None = None) -> None:
    """Write the project and say what to do next. Raises ConfigError, OSError."""
    values = {"name": name, "package": package_name(name), "title": _title(name), **_model_values(model)}
    written = make_project(template, path, values)
    click.echo(f"Created {template} project {name!r} in {path}:")
    for file in written:
        click.echo(f"  {file.as_posix()}")
    click.echo("\nNext:")
    click.echo(f"  cd {shlex.quote(str(path))}")
    click.echo("  pip install -e '.[test]'")
    if template == "agent":
        click.echo('  sre run agent.py:agent "How many days are there from 2026-01-01 to 2026-12-24?"')
    else:
        click.echo(f"  sre plugins check storage:{values['package']}")
    click.echo("  pytest")


def _legal_name(text: str) -> str:
    return _asked_again(package_name, text)


def _free_folder(text: str) -> str:
    return _asked_again(lambda folder: check_free(Path(folder)), text)


def _legal_model(text: str) -> str:
    return _asked_again(_model_values, text)


def _asked_again(check: Callable[[str], object], text: str) -> str:
    """The answer to a question; click asks again when the check refuses it."""
    try:
        check(text)
    except ConfigError as error:
        raise click.BadParameter(f"{error.message} ({error.hint})") from error
    return text


def _title(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-_.]+", name))


def _model_values(model: str | None) -> dict[str, str]:
    model = model or DEFAULT_MODEL
    if not _MODEL.fullmatch(model):
        raise ConfigError(
            f"illegal model {model!r}", hint="write CONNECTOR or CONNECTOR/MODEL, as 'echo' or 'openai/gpt-5-mini'"
        )
    connector, _, name = model.partition("/")
    package = PROVIDERS.get(("llm", connector))
    return {
        "connector": connector,
        "model_line": f'model = "{name}"\n\n' if name else "",
        "dependencies": ", ".join(f'"{wanted}"' for wanted in ("sre-runtime", package) if wanted),
    }
