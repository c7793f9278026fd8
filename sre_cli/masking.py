"""The configuration as a list of settings, without its secrets."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

from sre_core.config import Config
from sre_core.connectors.base import Connector

__all__ = ["MASK", "is_reference", "leaves", "masked"]

MASK = "***"

_LIKE_A_SECRET = re.compile(r"key|token|secret|pass|credential|auth|dsn|url", re.IGNORECASE)

Kinds = Mapping[tuple[Any, str], type[Connector]]


def leaves(config: Config, kinds: Kinds) -> Iterator[tuple[str, Any]]:
    """Every setting as (dotted name, value), in the order of the file; secrets as `MASK`.

    What is a secret is known from the settings of the connector. Where the connector is not installed, whatever
    is named like one counts as one.
    """
    for name, value in config.model_dump(mode="json", exclude={"connectors", "models"}).items():
        yield from _walk(name, value)
    for id_, model in config.models.items():
        values = model.model_dump(mode="json", exclude_unset=True)
        if "settings" in values:
            values["settings"] = masked(model.connector or id_.partition("/")[0], values["settings"], kinds)
        yield from _walk(f"models.{id_}", values)
    for service, entries in config.connectors.items():
        for id_, entry in entries.items():
            where = f"connectors.{service}.{id_}"
            yield f"{where}.use", entry.use
            for option, value in masked(entry.use, entry.options, kinds, service).items():
                yield from _walk(f"{where}.{option}", value)


def masked(use: str, options: Mapping[str, Any], kinds: Kinds, service: str = "llm") -> dict[str, Any]:
    """The settings of a connector with its secrets as `MASK`."""
    kind = next((kind for (of, name), kind in kinds.items() if (str(of), name) == (service, use)), None)
    return {
        option: MASK if not is_reference(value) and _is_secret(kind, option) else value
        for option, value in options.items()
    }


def is_reference(value: object) -> bool:
    """Whether it is `{ vault = "name" }`, which names a secret and holds none."""
    return isinstance(value, Mapping) and set(value) == {"vault"}


def _walk(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value and not is_reference(value):
        for key, item in value.items():
            yield from _walk(f"{name}.{key}", item)
    else:
        yield name, value


def _is_secret(kind: type[Connector] | None, option: str) -> bool:
    field = kind.settings_type.model_fields.get(option) if kind is not None else None
    if field is None:
        return _LIKE_A_SECRET.search(option) is not None
    return _holds_secret(field.annotation)


def _holds_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | SecretBytes):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_holds_secret(field.annotation) for field in annotation.model_fields.values())
    return any(_holds_secret(part) for part in get_args(annotation))
