"""Every error that the runtime raises, in one tree.

SREError                              sre
├── ConfigError                       config
├── PluginError                       plugin
│   ├── PluginLoadError               plugin.load
│   ├── DuplicateConnectorError       plugin.duplicate_connector
│   └── UnknownConnectorError         plugin.unknown_connector
├── AccessDeniedError                 access.denied                also PermissionError
├── ConnectorError                    connector
│   ├── NotFoundError                 connector.not_found          also LookupError
│   ├── ConflictError                 connector.conflict
│   ├── UnauthenticatedError          connector.unauthenticated
│   ├── UnsupportedError              connector.unsupported
│   ├── RateLimitedError              connector.rate_limited
│   ├── UnavailableError              connector.unavailable
│   └── DeadlineError                 connector.deadline           also TimeoutError
├── AgentError                        agent
│   ├── SkillError                    agent.skill
│   ├── ModelReplyError               agent.model_reply
│   └── LimitExceededError            agent.limit
└── WorkflowError                     workflow
    ├── ComponentError                workflow.component
    ├── InvalidWorkflowError          workflow.invalid
    └── StepFailedError               workflow.step_failed

A message names the thing that was wrong; a hint names the next step. Codes are stable: logs, spans and
CLI exit codes use them.
"""

from typing import Any, ClassVar

__all__ = [
    "AccessDeniedError",
    "AgentError",
    "ComponentError",
    "ConfigError",
    "ConflictError",
    "ConnectorError",
    "DeadlineError",
    "DuplicateConnectorError",
    "InvalidWorkflowError",
    "LimitExceededError",
    "ModelReplyError",
    "NotFoundError",
    "PluginError",
    "PluginLoadError",
    "RateLimitedError",
    "SREError",
    "SkillError",
    "StepFailedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnknownConnectorError",
    "UnsupportedError",
    "WorkflowError",
]


class SREError(Exception):
    """Root of all errors of the runtime."""

    code: ClassVar[str] = "sre"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the attributes, since keyword arguments do not survive the default way."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[SREError], args: tuple[Any, ...], state: dict[str, Any]) -> SREError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(SREError):
    """A setting, an id or a value is wrong."""

    code = "config"


class PluginError(SREError):
    """A plugin cannot be used."""

    code = "plugin"


class PluginLoadError(PluginError):
    """A plugin failed while it was loaded."""

    code = "plugin.load"


class DuplicateConnectorError(PluginError):
    """Two plugins offer a connector of the same service and name."""

    code = "plugin.duplicate_connector"


class UnknownConnectorError(PluginError):
    """No connector of that id is configured, and none of that name is installed."""

    code = "plugin.unknown_connector"


class AccessDeniedError(SREError, PermissionError):
    """The guard said no; the message holds its reason."""

    code = "access.denied"

    # PermissionError is an OSError, whose __str__ expects an errno.
    def __str__(self) -> str:
        """The message alone."""
        return self.message


class ConnectorError(SREError):
    """A backend failed. `retryable` says whether the same call may succeed later."""

    code = "connector"
    retryable: ClassVar[bool] = False


class NotFoundError(ConnectorError, LookupError):
    """The named object, key, collection, secret or model does not exist."""

    code = "connector.not_found"


class ConflictError(ConnectorError):
    """The thing exists already, or has changed since it was read."""

    code = "connector.conflict"


class UnauthenticatedError(ConnectorError):
    """The backend refused the credentials."""

    code = "connector.unauthenticated"


class UnsupportedError(ConnectorError):
    """The connector does not declare the capability that the call needs."""

    code = "connector.unsupported"


class RateLimitedError(ConnectorError):
    """The backend asks for fewer calls; `retry_after` is its own advice in seconds, if it gave any."""

    code = "connector.rate_limited"
    retryable = True

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class UnavailableError(ConnectorError):
    """The backend cannot be reached, or is not able to answer now; `retry_after` is as in RateLimitedError."""

    code = "connector.unavailable"
    retryable = True

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class DeadlineError(ConnectorError, TimeoutError):
    """The backend did not answer in time."""

    code = "connector.deadline"
    retryable = True

    # TimeoutError is an OSError too.
    def __str__(self) -> str:
        """The message alone."""
        return self.message


class AgentError(SREError):
    """A run of an agent failed."""

    code = "agent"


class SkillError(AgentError):
    """A skill is badly made, is unknown, got bad arguments, or raised."""

    code = "agent.skill"


class ModelReplyError(AgentError):
    """The model's reply cannot be used, even after it was asked to repair it."""

    code = "agent.model_reply"


class LimitExceededError(AgentError):
    """A run reached one of its limits: turns, tokens, seconds or skill calls."""

    code = "agent.limit"


class WorkflowError(SREError):
    """A workflow cannot be loaded or run."""

    code = "workflow"


class ComponentError(WorkflowError):
    """A component cannot do what its node asks: a setting, an input or an answer from outside is wrong."""

    code = "workflow.component"


class InvalidWorkflowError(WorkflowError):
    """A workflow file is wrong; `problems` lists everything that was found."""

    code = "workflow.invalid"

    def __init__(self, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class StepFailedError(WorkflowError):
    """A node of a workflow failed and its error was not wired to anything."""

    code = "workflow.step_failed"
