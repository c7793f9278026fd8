"""Async: nodes that run by themselves, while the rest goes on."""

import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar

from sre_core.components.context import ComponentContext
from sre_core.components.loop import Fork
from sre_core.components.node import OutputPort

__all__ = ["Async"]

_ALPHABET = string.ascii_uppercase + string.digits


class Async(Fork):
    """Starts a job with what follows its outputs, and goes on at once with the job's id at `JobID`.

    Each input comes out of the output of the same name, inside the job. Await takes the id and gives the result. Jobs
    live in this process: they end with it.
    """

    name = "Async"
    outputs = (OutputPort(name="JobID", default=True),)
    open_inputs = True
    open_outputs = True
    job_port: ClassVar[str] = "JobID"

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The inputs, and an id that no other job has."""
        unique = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        return {**inputs, "JobID": f"{self.node.id}-{unique}"}
