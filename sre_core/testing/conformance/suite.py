"""Running a conformance kit without a test file, as `sre plugins check` does."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from sre_core.connectors.base import Connector, Service
from sre_core.errors import ConfigError

__all__ = ["Failure", "Report", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A rule that a connector broke: its test, what that says as a sentence, and what happened instead."""

    test: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a kit found. `passed` holds the sentences of the rules that were kept."""

    passed: tuple[str, ...]
    failed: tuple[Failure, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether rules were checked, and none was broken."""
        return bool(self.passed) and not self.failed


def check(service: Service, make: Callable[[], Connector]) -> Report:
    """Run the kit of `service` against the connectors that `make` returns, each of them new and not started.

    It works on the real backend of that connector, under names of its own. Call it outside a running event loop.
    Raises ConfigError when pytest is not installed.
    """
    if find_spec("pytest") is None:
        raise ConfigError("the conformance kit needs pytest", hint="run: pip install 'sre-runtime[testing]'")
    # Only now, since plain use of the runtime must not need pytest.
    from sre_core.testing.conformance import session

    return session.run(lambda: session.kit_of(service), make)
