"""Secrets that are environment variables."""

import os
import re
from collections.abc import Mapping

from pydantic import Field, SecretStr

from sre_core.connectors.base import Settings
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import NotFoundError

__all__ = ["EnvVault", "EnvVaultSettings"]

_SUFFIX = "_API_KEY"
_OTHERS = re.compile(r"[^A-Z0-9]")


class EnvVaultSettings(Settings):
    """`names` says which variable holds which secret, as in `{"team/ops/token" = "OPS_TOKEN"}`."""

    names: Mapping[str, str] = Field(default_factory=dict)


class EnvVault(VaultConnector):
    """Reads secrets from the environment of the process, each time anew; it cannot write.

    The variable of a name is the one that `names` gives it. Else a name without a slash is written in capitals,
    with "_" for all that is neither letter nor digit, and looked up with `_API_KEY` added, then as it is:
    "openai" means OPENAI_API_KEY, then OPENAI. A name with a slash lies in somebody's home and is found through
    `names` only, as two homes could be written the same way in capitals. An empty variable counts as missing.
    """

    name = "env"
    settings_type = EnvVaultSettings

    def __init__(self, settings: EnvVaultSettings) -> None:
        """Read nothing yet."""
        super().__init__(settings)
        self._names = dict(settings.names)

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError."""
        variables = self._variables(name)
        for variable in variables:
            if value := os.environ.get(variable):
                return SecretStr(value)
        raise NotFoundError(
            f"secret {name!r} is not in the environment",
            hint=f"set {' or '.join(variables)}"
            if variables
            else "give it a variable under `names` of the env vault: a name with a slash has none by itself",
        )

    async def names(self) -> list[str]:
        """The names in `names` whose variable is set, and those of all variables that end in `_API_KEY`."""
        found = {name for name, variable in self._names.items() if os.environ.get(variable)}
        for variable, value in os.environ.items():
            name = variable.removesuffix(_SUFFIX).lower()
            # Only what `get` would find under this name: a variable in small letters, for one, it would not.
            if value and variable.endswith(_SUFFIX) and variable in self._variables(name)[:1]:
                found.add(name)
        return sorted(found)

    def _variables(self, name: str) -> tuple[str, ...]:
        """Where to look, best first."""
        if name in self._names:
            return (self._names[name],)
        if not name or "/" in name:
            return ()
        plain = _OTHERS.sub("_", name.upper())
        return (plain + _SUFFIX, plain)
