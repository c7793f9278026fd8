"""The chat templates of a model folder, wherever its maker put them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sre_core.errors import ConfigError

__all__ = ["chat_templates", "read_json"]

# A template longer than this is no template.
_LONGEST = 1_000_000


def read_json(path: Path) -> dict[str, Any]:
    """A file with a JSON object; empty when there is no such file. Raises ConfigError when it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the file {str(path)!r} cannot be read: {error}",
            hint="it is damaged: delete the folder if it lies in the cache, or fetch it again",
        ) from error
    if not isinstance(found, dict):
        raise ConfigError(f"the file {str(path)!r} holds no JSON object", hint="fetch it again")
    return found


def chat_templates(folder: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Templates by name, "default" for the unnamed one; files win over `settings` (tokenizer_config.json).

    Raises ConfigError for a file that cannot be read.
    """
    found = _listed(settings.get("chat_template"))
    found |= _listed(read_json(folder / "chat_template.json").get("chat_template"))
    for path in sorted((folder / "additional_chat_templates").glob("*.jinja")):
        found[path.stem] = _text(path)
    plain = folder / "chat_template.jinja"
    if plain.is_file():
        found["default"] = _text(plain)
    return found


def _listed(value: Any) -> dict[str, str]:
    """A template, a list of named ones, or a map of them: all three are in use."""
    if isinstance(value, str) and value:
        return {"default": value}
    if isinstance(value, Mapping):
        return {str(name): text for name, text in value.items() if isinstance(text, str)}
    entries = [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    pairs = ((entry.get("name"), entry.get("template")) for entry in entries)
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the chat template {str(path)!r} cannot be read: {error}", hint="fetch the file again"
        ) from error
    if len(text) > _LONGEST:
        raise ConfigError(f"the chat template {str(path)!r} has {len(text)} characters", hint="fetch the file again")
    return text
