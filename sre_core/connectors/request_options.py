"""Options of a request that are a connector's own, read into a model of pydantic."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sre_core.errors import ConfigError

__all__ = ["read_options"]

T = TypeVar("T", bound=BaseModel)


def read_options(kind: type[T], options: Mapping[str, Any], *, connector: str) -> T:
    """What `LLMRequest.options` or `ImageRequest.options` hold, as a `kind`, which should forbid extra fields.

    Raises ConfigError that names the option that is unknown or wrong, and those that `connector` has.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        hint = f"its options are {', '.join(kind.model_fields)}"
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"llm connector {connector!r} knows no option {name!r}", hint=hint) from error
        raise ConfigError(f"the option {name!r} is wrong: {first['msg']}", hint=hint) from error
