"""How jobs of a workflow ended, for commands that call it: they may end after the result, so this comes last."""

import logging

import click

from sre_cli.escaping import one_line
from sre_cli.options import Session
from sre_cli.render import styled
from sre_core.events import Event, JobFinished

__all__ = ["JobEnds", "hide_from_log"]


class JobEnds:
    """Hears events, and keeps of jobs which nodes failed, and which wait in vain."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.waiting: list[str] = []

    async def hear(self, event: Event) -> None:
        """Take note of the end of a job."""
        if isinstance(event, JobFinished):
            self.failures += [f"Job {event.job}: {text}" for text in event.failures]
            self.waiting += [f"Job {event.job}: {text}" for text in event.waiting]

    def show(self) -> None:
        """Tell the user, on standard error."""
        for text in (*self.failures, *self.waiting):
            click.echo(styled(one_line(text), fg="yellow"), err=True)


def hide_from_log(context: click.Context) -> None:
    """Leave failed jobs out of the log on the terminal, where `JobEnds` says the same; not with --debug."""
    if not Session.of(context).debug:
        for handler in logging.getLogger("sre").handlers:
            handler.addFilter(_is_of_no_job)


def _is_of_no_job(record: logging.LogRecord) -> bool:
    return not (isinstance(record.msg, dict) and record.msg.get("event") == "job_failed")
