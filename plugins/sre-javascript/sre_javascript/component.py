"""The component ECMASandbox."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.errors import ComponentError
from sre_javascript.process import run_script

__all__ = ["ECMASandbox", "ECMASandboxSettings"]


class ECMASandboxSettings(ComponentSettings):
    """The code, and what it may use."""

    code: str = Field("", max_length=500_000, description="JavaScript with a function main at its top.")
    timeout: float = Field(30.0, gt=0, le=900, description="Seconds that the code may run.")
    memory_limit: int = Field(64, ge=8, le=2048, description="Memory that the code may use, in MiB.")


class ECMASandbox(Component):
    """Runs JavaScript: calls `main` and gives what it returns, or what its promise brings, to `Output`.

    Each parameter of `main` takes the input of its name; one without an input is `undefined`, so that its default
    counts, and one that takes an object apart gets all inputs. `undefined` as the result fires nothing, `null` does.
    `console.log` goes to `_debug`. There is `setTimeout`, and no network, no file and no module.

    Unlike in SmythOS, inputs are passed as data and never become part of the code; code is stopped when it takes too
    long or too much memory; `fetch` is not there, and `main` need not be `async`.
    """

    name = "ECMASandbox"
    settings_type = ECMASandboxSettings
    settings: ECMASandboxSettings
    outputs = (OutputPort(name="Output", default=True),)
    open_inputs = True
    open_outputs = True

    def check(self) -> list[Flaw]:
        """No code."""
        return Flaw.raised_by(self._code, "code")

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Run the code once. Raises ComponentError when there is none, or for inputs that are no data."""
        code = self._code()
        outcome = await run_script(
            code, inputs, seconds=self.settings.timeout, memory=self.settings.memory_limit * 2**20
        )
        found: dict[str, Any] = {}
        if outcome.returned:
            found["Output"] = outcome.value
        if outcome.error:
            found["_error"] = outcome.error
        if outcome.console:
            found["_debug"] = outcome.console
        return found

    def _code(self) -> str:
        if not self.settings.code.strip():
            raise ComponentError("there is no code", hint="write a function main in the setting 'code'")
        return self.settings.code
