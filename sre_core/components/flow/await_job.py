"""Await: the results of jobs that Async started."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.errors import ComponentError

__all__ = ["Await", "AwaitSettings"]


class AwaitSettings(ComponentSettings):
    """Which jobs to wait for, and how long."""

    jobs_count: int = Field(
        1, ge=1, le=100, alias="jobs_count", description="How many of the jobs, from the first on, to wait for."
    )
    max_time: int = Field(1, ge=1, le=21600, alias="max_time", description="The longest to wait, in seconds.")


class Await(Component):
    """Waits for jobs, and gives their results to `Results`, by the jobs' ids.

    Each is `{"output": …, "status": …}`, where the status is "done", "failed", "pending" after `max_time`, or
    "unknown_job". `Jobs` is one id or a list. Nothing is polled: a job that ends is seen at once.
    """

    name = "Await"
    settings_type = AwaitSettings
    settings: AwaitSettings
    inputs = (InputPort(name="Jobs"),)
    outputs = (OutputPort(name="Results", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Raises ComponentError when `Jobs` holds something else than ids."""
        given = inputs.get("Jobs")
        ids: list[Any] = given if isinstance(given, list) else [given]
        if not all(isinstance(id_, str) for id_ in ids):
            raise ComponentError(f"{given!r} is no id of a job", hint="link the JobID of an Async to Jobs")
        chosen = ids[: self.settings.jobs_count]
        return {"Results": await context.jobs.wait(chosen, seconds=self.settings.max_time)}
