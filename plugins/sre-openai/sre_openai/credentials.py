"""What a request shows to the server: key and further headers."""

import re
from collections.abc import Sequence

from sre_core.errors import ConfigError
from sre_openai.preset import Preset
from sre_openai.settings import OpenAISettings

__all__ = ["headers_of", "secrets_of"]

_SHORTEST = 4
# RFC 9110, section 5.6.2
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def headers_of(settings: OpenAISettings, preset: Preset) -> dict[str, str]:
    """The headers of every request; those of the settings win.

    Raises ConfigError when the preset needs a key and there is none, or when a name or a secret cannot stand in a
    header.
    """
    own = {name: value.get_secret_value() for name, value in settings.headers.items()}
    replaced = {name.lower() for name in own}
    shown = replaced & {"authorization", "api-key"}
    if preset.needs_key and settings.key is None and not shown:
        raise ConfigError(
            f"the preset {preset.name!r} of llm connector 'openai' needs a `key`",
            hint=f'write key = {{ vault = "{preset.name}" }} in sre.toml; `sre vault set {preset.name}` keeps it',
        )
    headers = {"User-Agent": "sre-openai"}
    if settings.key is not None and not shown:
        key = settings.key.get_secret_value()
        headers[preset.key_header] = key if preset.key_header == "api-key" else f"Bearer {key}"
    if settings.organization is not None:
        headers["OpenAI-Organization"] = settings.organization
    if settings.project is not None:
        headers["OpenAI-Project"] = settings.project
    headers = {name: value for name, value in headers.items() if name.lower() not in replaced} | own
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ConfigError(f"no header can be called {name!r}", hint="correct `headers` of the connector")
        if not value.isascii() or not value.isprintable():
            raise ConfigError(
                f"the value of header {name!r} holds characters that no header may hold",
                hint="check the key for a line break or other odd characters",
            )
    return headers


def secrets_of(settings: OpenAISettings) -> Sequence[str]:
    """The secrets that must not be in errors; too short ones would make errors unreadable."""
    values = [*settings.headers.values(), *([settings.key] if settings.key is not None else [])]
    plain = (value.get_secret_value() for value in values)
    return sorted((secret for secret in plain if len(secret) >= _SHORTEST), key=len, reverse=True)
