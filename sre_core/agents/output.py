"""Structured output: what shape a model is asked for, and how its text becomes an object of that shape."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from sre_core.errors import ConfigError
from sre_core.skill_schema import explain, without_titles

__all__ = ["OutputFormat"]

# Blanks are never given back: else a long run of line breaks would be tried in all ways.
_FENCE = re.compile(r"```[a-zA-Z]*+[^\S\n]*+\n(.*?)```", re.DOTALL)
_VALUE = "value"


class OutputFormat:
    """The shape of an answer: a pydantic model, dataclass, TypedDict, list, Literal or any such type.

    Many models accept only objects as a schema, so any other type travels as `{"value": …}`.
    """

    def __init__(self, output_type: Any) -> None:
        """Raises ConfigError on a type that has no JSON schema."""
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(output_type)
            schema = without_titles(self._adapter.json_schema())
        except (PydanticUserError, NameError, TypeError) as error:
            raise ConfigError(
                f"output_type {output_type!r} has no JSON schema: {str(error).splitlines()[0]}",
                hint="use a pydantic model, a dataclass, a TypedDict or plain types",
            ) from error
        self._wrapped = schema.get("type") != "object"
        if self._wrapped:
            definitions = schema.pop("$defs", None)
            schema = {
                "type": "object",
                "properties": {_VALUE: schema},
                "required": [_VALUE],
                "additionalProperties": False,
            }
            if definitions:
                schema["$defs"] = definitions
        self.schema: dict[str, Any] = schema

    @property
    def instructions(self) -> str:
        """What a model is told that cannot be held to a schema by its connector."""
        return (
            "Give your final answer as one JSON value that matches this JSON schema, with no text around it:\n"
            f"{json.dumps(self.schema, ensure_ascii=False)}"
        )

    def read(self, text: str) -> Any:
        """The object in the model's text, bare or in a code fence or among other words.

        Raises ValueError that tells the model what is wrong.
        """
        problems = []
        for candidate in _candidates(text):
            try:
                data = json.loads(candidate)
            except (ValueError, RecursionError) as error:
                problems.append(f"it is not valid JSON: {error}")
                continue
            if self._wrapped and isinstance(data, dict) and data.keys() == {_VALUE}:
                data = data[_VALUE]
            try:
                # As JSON, so that strict types too may take a date from a string.
                return self._adapter.validate_json(json.dumps(data))
            except ValidationError as error:
                # What has the wrong shape says more than what is no JSON.
                problems.insert(0, explain(error))
        raise ValueError(problems[0] if problems else "it is empty")


def _candidates(text: str) -> Iterator[str]:
    """The whole text, then what code fences or the outermost brackets hold."""
    text = text.strip()
    if text:
        yield text
    for match in _FENCE.finditer(text):
        yield match[1]
    pairs = [(text.find(opening), text.rfind(closing)) for opening, closing in ("{}", "[]")]
    for begin, end in sorted(pairs):
        if 0 <= begin < end:
            yield text[begin : end + 1]
