"""What every connector must say, hold and hide, and connectors that do not."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from opentelemetry import trace
from pydantic import ConfigDict, SecretStr

from sre_core.connectors import Connector, Settings
from sre_core.testing.conformance import session
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from tests.unit.sre_core.testing.conformance.good import Good, GoodSettings, Kit, broken_rules
from tests.unit.sre_core.testing.conformance.twins import failing


def test_a_good_connector_breaks_no_rule() -> None:
    assert failing(Kit) == set()


def test_a_kit_without_make_says_what_it_needs() -> None:
    class Empty(LifecycleConformance):
        pass

    with pytest.raises(NotImplementedError, match="Empty needs `def make"):
        Empty().make()


class IllegalName(Good):
    """Could not be written in a path."""

    name = "two words"


class NoDocstring(Good):
    pass


class UnknownCapability(Good):
    """Declares a word that nobody asks for."""

    capabilities = frozenset({"incremnt"})


class WritableCapabilities(Good):
    """Declares what anybody could change."""

    capabilities = {"increment"}  # type: ignore[assignment]  # noqa: RUF012


@pytest.mark.parametrize("kind", [IllegalName, NoDocstring, UnknownCapability, WritableCapabilities])
def test_a_connector_must_describe_itself(kind: type[Connector]) -> None:
    assert broken_rules(kind) == {"test_it_describes_itself"}


def test_a_connector_must_keep_the_settings_it_is_given() -> None:
    class Copies(Good):
        """Keeps a copy."""

        def __init__(self, settings: Settings) -> None:
            super().__init__(settings.model_copy())

    assert broken_rules(Copies) == {"test_it_is_made_from_its_settings_alone"}


class OpensFile(Good):
    """Reads a file too early."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        with contextlib.suppress(FileNotFoundError):
            Path(__file__).with_name("twins.txt").read_text()


class OpensSocket(Good):
    """Makes a socket too early."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        socket.socket().close()


class StartsThread(Good):
    """Starts a thread too early."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        threading.Thread(target=threading.Event().wait, args=(1,), daemon=True).start()


class StartsTask(Good):
    """Creates a task too early, where a loop runs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        with contextlib.suppress(RuntimeError):
            self._task = asyncio.get_running_loop().create_task(asyncio.sleep(0))


@pytest.mark.parametrize("kind", [OpensFile, OpensSocket, StartsThread, StartsTask])
def test_a_constructor_must_open_nothing(kind: type[Connector]) -> None:
    assert broken_rules(kind) == {"test_the_constructor_opens_nothing"}


class LaxSettings(GoodSettings):
    model_config = ConfigDict(extra="ignore")


class ThawedSettings(GoodSettings):
    model_config = ConfigDict(frozen=False)


class PlainSettings(GoodSettings):
    token: str = ""


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (LaxSettings, "test_an_unknown_setting_is_refused"),
        (ThawedSettings, "test_settings_cannot_be_changed"),
        (PlainSettings, "test_secret_settings_are_secret_strings"),
    ],
)
def test_settings_must_be_strict_frozen_and_discreet(kind: type[Settings], rule: str) -> None:
    class Configured(Good):
        """Has other settings."""

        settings_type = kind

    assert broken_rules(Configured) == {rule}


def test_a_repr_must_show_no_secret() -> None:
    class Talks(Good):
        """Prints its password."""

        def __repr__(self) -> str:
            return f"<Talks {self.settings.password.get_secret_value()}>"  # type: ignore[attr-defined]

    assert broken_rules(Talks) == {"test_no_repr_shows_a_secret"}
    without = GoodSettings(password=SecretStr(""))
    assert broken_rules(Talks, without) == {"test_no_repr_shows_a_secret"}


def test_a_repr_must_show_no_secret_among_others() -> None:
    class HeaderSettings(GoodSettings):
        """A setting that holds secrets by name, empty as a rule."""

        headers: Mapping[str, SecretStr] = {}

    class Talks(Good):
        """Prints its headers."""

        settings_type = HeaderSettings

        def __repr__(self) -> str:
            shown = {name: value.get_secret_value() for name, value in self.settings.headers.items()}  # type: ignore[attr-defined]
            return f"<Talks {shown}>"

    assert broken_rules(Talks, HeaderSettings()) == {"test_no_repr_shows_a_secret"}


class Logs(Good):
    """Logs its password."""

    async def start(self) -> None:
        logging.getLogger("driver").debug("login with %s", self.settings.password.get_secret_value())  # type: ignore[attr-defined]
        await super().start()


class LogsBeside(Good):
    """Logs its password beside the message, where a formatter would find it."""

    async def start(self) -> None:
        login = {"password": self.settings.password.get_secret_value()}  # type: ignore[attr-defined]
        logging.getLogger("driver").debug("login", extra={"login": login})
        await super().start()


class Prints(Good):
    """Prints its password."""

    async def stop(self) -> None:
        print(self.settings.password.get_secret_value())  # type: ignore[attr-defined]
        await super().stop()


@pytest.mark.parametrize("kind", [Logs, LogsBeside, Prints])
def test_no_line_may_show_a_secret(kind: type[Connector]) -> None:
    assert broken_rules(kind) == {"test_no_log_line_and_no_error_shows_a_secret"}


def named_so(span: trace.Span, secret: str) -> None:
    span.update_name(secret)


def told_one_attribute(span: trace.Span, secret: str) -> None:
    span.set_attribute("password", secret)


def told_attributes(span: trace.Span, secret: str) -> None:
    span.set_attributes({"password": secret})


def told_an_event(span: trace.Span, secret: str) -> None:
    span.add_event("login", {"password": secret})


def told_a_link(span: trace.Span, secret: str) -> None:
    span.add_link(span.get_span_context(), {"password": secret})


def told_a_status(span: trace.Span, secret: str) -> None:
    span.set_status(trace.Status(trace.StatusCode.ERROR, f"{secret} was refused"))


def ended_by_an_error(span: trace.Span, secret: str) -> None:
    with contextlib.suppress(ValueError), trace.use_span(span, set_status_on_exception=False):
        raise ValueError(f"{secret} was refused")


def told_nothing(span: trace.Span, secret: str) -> None:
    pass


SHOWS = "spans ['login'] of its own show the settings ['password']"


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        *((tell, SHOWS) for tell in (named_so, told_one_attribute, told_attributes, told_an_event, told_a_link)),
        *((tell, SHOWS) for tell in (told_a_status, ended_by_an_error)),
        (told_nothing, "it adds the spans ['login']; switch them off in the library that makes them"),
    ],
)
def test_a_connector_must_leave_spans_to_the_runtime(tell: Callable[[trace.Span, str], None], message: str) -> None:
    class Traces(Good):
        """Has a library that makes spans."""

        async def start(self) -> None:
            await super().start()
            with trace.get_tracer("driver").start_as_current_span("login") as span:
                tell(span, self.settings.password.get_secret_value())  # type: ignore[attr-defined]

    (failure,) = session.run(lambda: Kit, lambda: Traces(GoodSettings())).failed
    assert failure.test == "test_it_adds_no_spans"
    assert failure.message.startswith(message)


def test_every_rule_has_a_twin() -> None:
    rules = {name for name in vars(LifecycleConformance) if name.startswith("test_")}
    files = Path(__file__).parent.glob("test_lifecycle_*twins.py")
    named = "".join(file.read_text() for file in files)
    assert {rule for rule in rules if f'"{rule}"' not in named} == set()
