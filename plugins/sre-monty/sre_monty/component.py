"""The component PythonSandbox."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError
from sre_monty.program import make_program, told_syntax

__all__ = ["PythonSandbox", "PythonSandboxSettings"]


class PythonSandboxSettings(ComponentSettings):
    """The code, and what it may use."""

    code: str = Field("", max_length=500_000, description="Python, with a function main or a last expression.")
    timeout: float = Field(30.0, gt=0, le=900, description="Seconds that the code may run.")
    memory_limit: int = Field(64, ge=8, le=2048, description="Memory that the code may use, in MiB.")


class PythonSandbox(Component):
    """Runs Python: calls `main` and gives what it returns to `Output`; without a `main`, the last expression.

    Each parameter of `main` takes the input of its name; one without an input has its default. Without a `main`, the
    inputs are variables. `main` may be `async`. What `print` writes goes to `_debug`. None as the result is a result.

    Code has a part of Python and of its library, and no file, no network, no environment. SmythOS has no such
    component.
    """

    name = "PythonSandbox"
    settings_type = PythonSandboxSettings
    settings: PythonSandboxSettings
    outputs = (OutputPort(name="Output", default=True),)
    open_inputs = True
    open_outputs = True

    def check(self) -> list[Flaw]:
        """No code, or none of Python."""
        flaws = Flaw.raised_by(self._code, "code")
        if flaws:
            return flaws
        try:
            make_program(self.settings.code, {})
        except SyntaxError as error:
            return [Flaw(told_syntax(error), "code")]
        return []

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Run the code once. Raises ComponentError when there is none, or for inputs that cannot be used."""
        code = self._code()
        await import_drivers("sre_monty.sandbox")
        from sre_monty.sandbox import run_code

        outcome = await run_code(code, inputs, seconds=self.settings.timeout, memory=self.settings.memory_limit * 2**20)
        found: dict[str, Any] = {"_error": outcome.error} if outcome.error else {"Output": outcome.value}
        if outcome.printed:
            found["_debug"] = outcome.printed
        return found

    def _code(self) -> str:
        if not self.settings.code.strip():
            raise ComponentError("there is no code", hint="write a function main in the setting 'code'")
        return self.settings.code
