"""Await: the results of jobs that Async started."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.kinds import kind_of
from sre_core.components.node import InputPort, OutputPort
from sre_core.errors import ComponentError

__all__ = ["Await", "AwaitSettings"]

_OTHERS_SECONDS = 1.0


class AwaitSettings(ComponentSettings):
    """Which jobs to wait for, and how long."""

    jobs_count: int = Field(
        1, ge=1, le=100, alias="jobs_count", description="How many of the jobs, from the first on, must have ended."
    )
    max_time: int = Field(1, ge=1, le=21600, alias="max_time", description="The longest to wait, in seconds.")


class Await(Component):
    """Waits for jobs, and gives their results to `Results`, by the jobs' ids.

    Each is `{"output": …, "status": …}`, where the status is "done", "failed", "pending" if it has not ended, or
    "unknown_job". `Jobs` is one id or a list. It waits for the first `jobs_count` of them, `max_time` at most, and
    gives all of them as they are then; the others have a second to end in, as in SmythOS, where the first look at jobs
    comes after that. Nothing is polled: it goes on when the last job ends.
    """

    name = "Await"
    settings_type = AwaitSettings
    settings: AwaitSettings
    inputs = (InputPort(name="Jobs"),)
    outputs = (OutputPort(name="Results", default=True),)
    waits_for_jobs: ClassVar[bool] = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Raises ComponentError when `Jobs` holds something else than ids."""
        given = inputs.get("Jobs")
        ids: list[Any] = given if isinstance(given, list) else [given]
        for id_ in ids:
            if not isinstance(id_, str):
                raise ComponentError(f"{kind_of(id_)} is no id of a job", hint="link the JobID of an Async to Jobs")
        started = time.monotonic()
        await context.jobs.wait(ids[: self.settings.jobs_count], seconds=self.settings.max_time)
        left = max(_OTHERS_SECONDS - (time.monotonic() - started), 0)
        return {"Results": await context.jobs.wait(ids, seconds=left)}
