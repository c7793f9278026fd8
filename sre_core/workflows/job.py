"""One job from its beginning to its end, which is told: the call that began it may be over, and nobody may ask."""

from collections.abc import Awaitable, Callable
from typing import Any

from sre_core import logs
from sre_core.components.context import ComponentContext
from sre_core.events import JobFinished
from sre_core.workflows.outcome import Outcome
from sre_core.workflows.plan import Station

__all__ = ["run_job"]

log = logs.get_logger(__name__)


async def run_job(
    id: str,  # noqa: A002 -- the field's own name
    fork: Station,
    key: str,
    context: ComponentContext,
    work: Callable[[], Awaitable[Outcome]],
) -> Any:
    """Run a job that the step `key` of `fork` began, and return its results. Raises what `work` raises.

    Tells of its end in any case, also of one that an Await takes: who asks, and when, nobody knows here.
    """
    try:
        outcome = await work()
    except Exception as error:
        # Jobs logs this one.
        await _tell(id, fork, key, context, failures=(str(error) or type(error).__name__,))
        raise
    for failure in outcome.failures:
        log.warning("job_failed", job=id, node=failure.node_id, message=failure.message)
    await _tell(
        id,
        fork,
        key,
        context,
        failures=tuple(map(str, outcome.failures)),
        waiting=tuple(map(str, outcome.waiting)),
    )
    return outcome.data


async def _tell(
    id_: str,
    fork: Station,
    key: str,
    context: ComponentContext,
    *,
    failures: tuple[str, ...],
    waiting: tuple[str, ...] = (),
) -> None:
    await context.emit(
        JobFinished(
            run_id=context.run_id,
            agent_id=context.agent.id,
            job=id_,
            step=key,
            node_id=fork.id,
            title=fork.node.title or fork.node.type,
            failures=failures,
            waiting=waiting,
        )
    )
