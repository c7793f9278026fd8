"""`sre doctor`: does everything here work?"""

import asyncio
from contextlib import aclosing
from dataclasses import asdict

import click

from sre_cli.diagnosis import Finding, examine
from sre_cli.operator import operator_config
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, styled

__all__ = ["doctor"]

_UNHEALTHY = 5


@click.command(
    epilog="""\b
Examples:
  sre doctor
  sre doctor --timeout 5 --json
"""
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds for each connector; a model may need some to load.",
)
@json_option
@debug_option
@click.pass_context
def doctor(context: click.Context, timeout: float, *, as_json: bool) -> None:
    """Check that everything here works.

    Starts and pings each connector, and says where models and keys are. No secret is shown. Exits with 5 when
    something does not work.
    """
    findings = asyncio.run(_examine(timeout, as_json=as_json))
    bad = sum(not finding.ok for finding in findings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        click.echo(f"\n{bad} of {len(findings)} checks failed." if bad else f"\nAll {len(findings)} checks passed.")
    if bad:
        context.exit(_UNHEALTHY)


async def _examine(timeout: float, *, as_json: bool) -> list[Finding]:
    findings = []
    async with aclosing(examine(operator_config(), patience=timeout)) as found:
        async for finding in found:
            findings.append(finding)
            if not as_json:
                _show(finding)
    return findings


def _show(finding: Finding) -> None:
    mark = styled("ok  ", fg="green") if finding.ok else styled("FAIL", fg="red", bold=True)
    click.echo(f"{mark}  {finding.area:10}{finding.name}: {finding.detail}")
    if finding.hint:
        click.echo(f"{'':16}{finding.hint}")
