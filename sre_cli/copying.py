"""What `sre storage copy` and its siblings share: options, the question before, the bar meanwhile, the report after."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol, TypedDict, TypeVar, Unpack

import click

from sre_cli.operator import OPERATOR, operator_config
from sre_cli.options import json_option
from sre_cli.render import print_json
from sre_cli.streams import is_terminal
from sre_core.access.acl import ACL, Access
from sre_core.access.guard import AccessRequest
from sre_core.access.resource import Resource
from sre_core.access.stored import ACL_PREFIX
from sre_core.config import load
from sre_core.connectors.base import Service
from sre_core.errors import SREError
from sre_core.migration.ends import End
from sre_core.migration.grants import GrantsCopy
from sre_core.migration.report import Listener, Outcome, Report, Survey
from sre_core.runtime import Runtime

__all__ = ["Copy", "CopyOptions", "MakeCopy", "copy_options", "run_copy"]

C = TypeVar("C", bound=Callable[..., Any])

_DIFFERENT = 5
_SHOWN = 20

_NOUNS = {Service.STORAGE: "object", Service.VECTORS: "record", Service.VAULT: "secret"}


class CopyOptions(TypedDict):
    """The options of every copy."""

    prefix: str
    dry_run: bool
    yes: bool
    jobs: int
    as_json: bool


class Copy(Protocol):
    """One of StorageCopy, VectorsCopy and VaultCopy."""

    async def survey(self) -> Survey:
        """What there is."""
        ...

    async def run(self, *, write: bool = True) -> Report:
        """Copy it."""
        ...


class MakeCopy(Protocol):
    """How one of them is made."""

    def __call__(self, source: End, target: End, *, prefix: str, jobs: int, listener: Listener) -> Copy:
        """From one end to the other."""
        ...


def copy_options(command: C) -> C:
    """SOURCE and TARGET, and the options of every copy."""
    decorators = (
        click.argument("source"),
        click.argument("target"),
        click.option("--prefix", metavar="PATH", default="", help="Only what lies there and below."),
        click.option("--dry-run", is_flag=True, help="Write nothing; say what would be copied."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            default=8,
            show_default=True,
            help="How many are on their way at once.",
        ),
        json_option,
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def run_copy(
    service: Service, make: Callable[[], MakeCopy], source: str, target: str, **options: Unpack[CopyOptions]
) -> None:
    """Copy, and say how it went; exits with 5 when something is not the same in the end. `make` imports the engine."""
    if source == target:
        raise click.UsageError("SOURCE and TARGET are the same.")
    prefix = "/".join(Resource.parse(options["prefix"].strip("/")).parts) if options["prefix"].strip("/") else ""
    if service is Service.STORAGE and prefix.split("/")[0] == ACL_PREFIX:
        raise click.UsageError("ACLs are copied with the objects that they belong to.")
    options["prefix"] = prefix
    report = asyncio.run(_copy(service, make(), source, target, options))
    if options["as_json"]:
        print_json(_as_json(report, dry_run=options["dry_run"]))
    else:
        _show(service, report, dry_run=options["dry_run"])
    if not report.ok:
        click.get_current_context().exit(_DIFFERENT)


async def _copy(service: Service, make: MakeCopy, source: str, target: str, options: CopyOptions) -> Report:
    configured = {Resource.parse(path): ACL.parse(grants) for path, grants in load().config.access.items()}
    config = operator_config(also=[_root(service, id_) for id_ in (source, target)])
    async with Runtime(config) as runtime:
        timeout = config.timeouts.operation
        ends = [End(runtime.connectors.get(service, id_), timeout=timeout) for id_ in (source, target)]
        for end, access in zip(ends, (Access.READ, Access.OWN), strict=True):
            # The kernel does the work, past the guard; that it may is for the operator and for vetoes to say.
            await runtime.guard.check(AccessRequest(OPERATOR, access, end.root))
        if not options["as_json"]:
            click.echo(f"Looking at {ends[0]!r}…", err=True)
        survey = await make(*ends, prefix=options["prefix"], jobs=options["jobs"], listener=Listener()).survey()
        if not options["dry_run"] and not options["yes"] and is_terminal():
            question = f"Copy {_told(service, survey)} from {_named(ends[0])} to {_named(ends[1])}?"
            # Beside the output, which may go to a file.
            click.confirm(question, abort=True, err=True)
        with _listener(survey, options) as listener:
            copy = make(*ends, prefix=options["prefix"], jobs=options["jobs"], listener=listener)
            try:
                report = await copy.run(write=not options["dry_run"])
            except (SREError, asyncio.CancelledError):
                if not options["dry_run"]:
                    click.echo("\nWhat was copied stays. The same command goes on from there.", err=True)
                raise
        kernel = End(runtime.connectors.get(Service.STORAGE), timeout=timeout)
        grants = GrantsCopy(kernel, *ends, prefix=options["prefix"], configured=configured)
        await grants.run(report, write=not options["dry_run"])
        return report


def _root(service: Service, id_: str) -> str:
    return service.value if id_ == "default" else f"{service.value}@{id_}"


def _named(end: End) -> str:
    return f"{end!r} ({end.connector})"


def _told(service: Service, survey: Survey) -> str:
    if service is Service.STORAGE:
        return f"{_many(survey.count, 'object')} with {_bytes(survey.size or 0)}"
    if service is Service.VECTORS:
        return f"{_many(survey.count, 'collection')} with {_many(survey.size or 0, 'record')}"
    names = ", ".join(survey.names[:_SHOWN]) + (", …" if survey.count > _SHOWN else "")
    return f"{_many(survey.count, 'secret')} ({names})"


class _Names(Listener):
    """Says of each thing what would become of it."""

    def done(self, name: str, outcome: Outcome) -> None:
        """Print a line."""
        click.echo(f"{outcome.value:10}{name}")


@contextmanager
def _listener(survey: Survey, options: CopyOptions) -> Iterator[Listener]:
    """Lines for a dry run, a bar on a terminal, nothing elsewhere."""
    if options["dry_run"]:
        yield Listener() if options["as_json"] else _Names()
        return
    if not sys.stderr.isatty():
        yield Listener()
        return
    # rich takes longer to import than most commands take to run.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    total = survey.count if survey.size is None else survey.size
    columns = (TaskProgressColumn(), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("copy", total=total)

        class Bar(Listener):
            def moved(self, size: int) -> None:
                progress.advance(task, size)

        yield Bar()


def _show(service: Service, report: Report, *, dry_run: bool) -> None:
    noun = _NOUNS[service]
    for outcome, count in report.outcomes.items():
        if count or outcome is Outcome.COPIED:
            size = f", {_bytes(report.size)}" if outcome is Outcome.COPIED and report.size else ""
            click.echo(f"{outcome.value:10}{_many(count, noun)}{size}")
    click.echo(f"{'ACLs':10}{report.acls}")
    if report.different:
        click.echo(f"{'different':10}{report.different}")
    for difference in report.differences[:_SHOWN]:
        click.echo(f"  {difference.name}: {difference.why}", err=True)
    if report.different > _SHOWN:
        click.echo(f"  and {report.different - _SHOWN} more; --json has them", err=True)
    for note in report.notes:
        click.echo(f"Note: {note}.", err=True)
    if dry_run:
        click.echo("Nothing was written.", err=True)


def _as_json(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        **{outcome.value: count for outcome, count in report.outcomes.items()},
        "bytes": report.size,
        "acls": report.acls,
        "different": report.different,
        "differences": [asdict(difference) for difference in report.differences],
        "notes": report.notes,
    }


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
