"""Skills: functions that a model may call, with the schema that it sees and the check of what it sends."""

import asyncio
import contextvars
import inspect
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from sre_core.access.candidate import Candidate
from sre_core.errors import SkillError
from sre_core.events import Emit, discard
from sre_core.messages import SkillSpec
from sre_core.skill_schema import check_arguments, explain, read_signature

if TYPE_CHECKING:
    # An agent that is only constructed needs its skills, and not yet the contracts, which take long to load.
    from sre_core.connectors.cache import Cache
    from sre_core.connectors.llm import LLM
    from sre_core.connectors.storage import Storage
    from sre_core.connectors.vault import Vault
    from sre_core.connectors.vectors import Vectors

__all__ = ["Skill", "SkillContext", "result_text"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillContext:
    """Who calls a skill, and the handles of that candidate. A parameter annotated with it receives it."""

    candidate: Candidate
    storage: "Storage"
    cache: "Cache"
    vectors: "Vectors"
    vault: "Vault"
    llm: "LLM"
    run_id: str = ""
    call_id: str = ""
    emit: Emit = discard


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Something an agent can do. `parameters` is a JSON schema of type object; `timeout` is in seconds.

    A skill made by hand calls `function` with the arguments by name, after a check of their names and plain
    types against `parameters`; one from `from_function` validates and coerces them by the type hints. `validate`,
    where it is given, does that instead: it returns the arguments for the function, or raises SkillError.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]
    timeout: float | None = None
    validate: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, repr=False, compare=False)
    _context: str | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what no model could call. Raises SkillError."""
        if not _NAME.fullmatch(self.name):
            raise SkillError(
                f"illegal skill name {self.name!r}", hint="use 1 to 64 ASCII letters, digits, '_' and '-'; pass name="
            )
        if not callable(self.function):
            raise SkillError(f"skill {self.name!r} is not callable: {type(self.function).__name__}")
        if self.timeout is not None and self.timeout <= 0:
            raise SkillError(f"skill {self.name!r}: timeout {self.timeout!r} is not above 0", hint="it is in seconds")

    @classmethod
    def from_function(
        cls,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> "Skill":
        """Make a skill of a function, method or callable object, sync or async.

        The schema comes from the type hints; texts from `Annotated[int, "text"]`, else from the docstring.
        A parameter annotated SkillContext gets the context. Raises SkillError when a model could not call it.
        """
        if not callable(fn):
            raise SkillError(f"{fn!r} cannot be a skill: it is not callable", hint="pass a function")
        signature = read_signature(fn, SkillContext, name=name)
        return cls(
            name=signature.name,
            description=signature.description if description is None else description,
            parameters=signature.parameters,
            function=fn,
            timeout=timeout,
            validate=signature.validate,
            _context=signature.context,
        )

    @property
    def spec(self) -> SkillSpec:
        """What a model sees."""
        return SkillSpec(name=self.name, description=self.description, parameters=self.parameters)

    @property
    def takes_context(self) -> bool:
        """Whether a parameter of the function receives the SkillContext."""
        return self._context is not None

    async def call(self, arguments: Mapping[str, Any], context: SkillContext | None = None) -> Any:
        """Validate, then run; a sync function runs in a thread of its own, which a timeout abandons.

        Raises SkillError on bad arguments or after `timeout`; what the function raises comes out as it is.
        """
        ready = self._check(arguments)
        if self._context is not None:
            ready[self._context] = context
        try:
            async with asyncio.timeout(self.timeout) as scope:
                return await self._run(ready)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise SkillError(
                f"skill {self.name!r} did not finish within {self.timeout:g} s", hint="raise its timeout, or ask less"
            ) from error

    def _check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self.validate is None:
            problems = "\n".join(check_arguments(arguments, self.parameters))
            if not problems:
                return dict(arguments)
        else:
            try:
                return dict(self.validate(arguments))
            except ValidationError as error:
                problems = explain(error)
        known = ", ".join(self.parameters.get("properties", ())) or "none"
        raise SkillError(f"bad arguments for skill {self.name!r}: {problems}", hint=f"its arguments are: {known}")

    async def _run(self, arguments: Mapping[str, Any]) -> Any:
        if _is_async(self.function):
            return await self.function(**arguments)
        # One limit for all runs of the process, as for every other blocking call.
        async with anyio.to_thread.current_default_thread_limiter():
            result = await _in_thread(self.function, arguments)
        return await result if inspect.isawaitable(result) else result


def result_text(name: str, value: Any) -> str:
    """What skill `name` returned, as the model reads it: a string as it is, all else as JSON.

    Raises SkillError on a value that JSON cannot hold.
    """
    if isinstance(value, str):
        return value
    try:
        return to_json(value, inf_nan_mode="strings").decode()
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise SkillError(
            f"skill {name!r} returned something that is not JSON, of type {type(value).__name__!r}: {error}",
            hint="return text, numbers, lists, dicts, dataclasses or pydantic models",
        ) from error


def _is_async(function: Callable[..., Any]) -> bool:
    # inspect looks through partials and methods by itself, not through objects.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


async def _in_thread(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Run a blocking function in a daemon thread.

    Threads of a pool are joined when the process exits: one skill that never returns would keep it alive.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def work() -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            result = context.run(function, **arguments)
        except (StopIteration, SystemExit) as error:
            # A future refuses the one, and the other would end the process from within a skill.
            failure = RuntimeError(f"the function raised {type(error).__name__}")
            failure.__cause__ = error
        except BaseException as error:  # noqa: BLE001 -- handed on to whoever waits
            failure = error
        # The loop may be closed by the time that an abandoned function returns.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=f"skill {getattr(function, '__name__', '')}", daemon=True).start()
    return await done
