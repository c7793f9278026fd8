"""`sre plugins`: what is installed, whether it keeps the rules, and a start for a new one."""

from pathlib import Path

import click

from sre_cli.commands.create import create_project
from sre_cli.extensions import load_plugins
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, print_table, styled
from sre_cli.subject import parse_settings, parse_subject, subject_maker
from sre_core.config import load
from sre_core.testing.conformance.suite import Report, check

__all__ = ["plugins"]

_FAILED_PLUGIN = 3


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
        context.invoke(list_)


@plugins.command("list", epilog="\b\nExample:\n  sre plugins list --strict\n")
@click.option("--strict", is_flag=True, help="Exit with 3 if a plugin failed.")
@json_option
@debug_option
@click.pass_context
def list_(context: click.Context, *, strict: bool, as_json: bool) -> None:
    """List the plugins, what they offer, and why one failed."""
    loaded = load_plugins(load().config)
    # Commands are asked for last, and fail for reasons of their own.
    loaded.register_commands(click.Group())
    rows = [
        {
            "name": info.name,
            "version": info.version,
            "offers": list(info.offers),
            "error": str(info.error) if info.error else None,
        }
        for info in loaded.infos
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("NAME", "VERSION", "OFFERS", "PROBLEM"),
            [(info.name, info.version, info.summary(), str(info.error) if info.error else "") for info in loaded.infos],
        )
    if strict and any(info.error for info in loaded.infos):
        context.exit(_FAILED_PLUGIN)


@plugins.command(
    "check",
    epilog="""\b
Examples:
  sre plugins check storage:acme
  sre plugins check storage:acme --setting path=acme.db
  sre plugins check cache:default --json
""",
)
@click.argument("subject", metavar="SERVICE:CONNECTOR")
@click.option("--setting", "settings", multiple=True, metavar="KEY=VALUE", help="A setting; the value is as in TOML.")
@json_option
@debug_option
@click.pass_context
def check_(context: click.Context, subject: str, settings: tuple[str, ...], *, as_json: bool) -> None:
    """Run the rules that every connector keeps on one of them.

    CONNECTOR is the id of one in sre.toml, or the name of an installed one, which is then checked with its default
    settings. The check works on the real backend, under names of its own.
    """
    service, name = parse_subject(subject)
    report = check(service, subject_maker(service, name, parse_settings(settings)))
    if as_json:
        print_json(_as_dict(report))
    else:
        _show(report, subject)
    if not report.ok:
        context.exit(1)


@plugins.command("new", epilog="\b\nExample:\n  sre plugins new acme --path ./acme\n")
@click.argument("name")
@click.option("--path", type=click.Path(path_type=Path), help="The folder to create.  [default: ./NAME]")
@debug_option
def new(name: str, path: Path | None) -> None:
    """Start a plugin project; the same as sre create NAME --template plugin."""
    create_project(name, template="plugin", path=path or Path(name))


def _as_dict(report: Report) -> dict[str, object]:
    return {
        "ok": report.ok,
        "passed": list(report.passed),
        "failed": [{"test": f.test, "rule": f.rule, "message": f.message} for f in report.failed],
        "seconds": round(report.seconds, 3),
    }


def _show(report: Report, subject: str) -> None:
    for rule in report.passed:
        click.echo(f"{styled('ok  ', fg='green')}  {rule}")
    for failure in report.failed:
        click.echo(f"{styled('FAIL', fg='red', bold=True)}  {failure.rule}")
        for line in failure.message.splitlines():
            click.echo(f"      {line}")
    total = len(report.passed) + len(report.failed)
    verdict = f"keeps all {total} rules" if report.ok else f"breaks {len(report.failed)} of {total} rules"
    click.echo(f"\n{subject} {verdict} ({report.seconds:.1f} s).")
