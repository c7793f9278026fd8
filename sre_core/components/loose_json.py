"""JSON as people and models write it: with comments, bare names, single quotes, in prose, or cut off."""

import re
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from sre_core.errors import ComponentError

__all__ = ["MAX_REPAIR_BRACKETS", "MAX_REPAIR_CHARACTERS", "parse_loose_json"]

MAX_REPAIR_BRACKETS = 500
"""Most opening brackets of a text that is repaired: what a repair costs grows with their square."""

MAX_REPAIR_CHARACTERS = 100_000
"""Length of the longest text that is repaired."""

# Blanks are never given back: else a long run of them would be tried in all ways.
_FENCE = re.compile(r"```[ \t]*+(?:json5?|javascript|js)?[ \t]*+\r?\n(.*?)```", re.DOTALL | re.IGNORECASE)
# It grows with their number times the length, too: about a second.
_MAX_REPAIR_COST = 5_000_000
_OPENING = re.compile(r"[{\[]")
# To whoever mends, round ones may open a list, too.
_BRACKET = re.compile(r"[{\[(]")


def parse_loose_json(text: str, *, repair: bool = True) -> Any:
    """The value that `text` means: JSON, else JSON5 (bare names, single quotes, comments, trailing commas).

    With `repair`, for the replies of models, an object or list is also found in a fence or between sentences, and
    mended where a quote, a comma or the end is missing, in texts up to MAX_REPAIR_CHARACTERS. A number that JSON does
    not have, such as NaN, becomes None. Raises ComponentError; it quotes nothing of the text.
    """
    try:
        # Encoded here: a text with half a character raises no TypeError then.
        return from_json(text.encode(), allow_inf_nan=False)
    except ValueError:
        pass
    candidates = [text, *_FENCE.findall(text)] if repair and "```" in text else [text]
    for candidate in candidates:
        try:
            return _json5(candidate)
        except ValueError:
            continue
    if repair:
        return _repaired(candidates[-1])
    raise ComponentError("the text is not JSON", hint='write it as in {"name": "value"}')


def _json5(text: str) -> Any:
    # Imported when needed: most workflows only see real JSON.
    import pyjson5

    try:
        return _plain(pyjson5.decode(text))
    except pyjson5.Json5DecoderException as error:
        # The cause is not kept: it holds what was read of the text.
        raise ValueError(type(error).__name__) from None


def _repaired(text: str) -> Any:
    """The first object or list of the text, mended."""
    import json_repair

    opening = _OPENING.search(text)
    if opening is None:
        raise ComponentError("the text holds no JSON", hint='write it as in {"name": "value"}')
    brackets = len(_BRACKET.findall(text))
    if len(text) > MAX_REPAIR_CHARACTERS or brackets > MAX_REPAIR_BRACKETS or len(text) * brackets > _MAX_REPAIR_COST:
        raise ComponentError(
            "the text is not JSON, and too large to be repaired",
            hint=f"only texts of {MAX_REPAIR_CHARACTERS} characters or {MAX_REPAIR_BRACKETS} brackets are repaired",
        )
    try:
        value = _plain(json_repair.loads(text[opening.start() :], skip_json_loads=True))
    except (ValueError, RecursionError):
        value = None
    wanted: type = dict if opening[0] == "{" else list
    if isinstance(value, list) and wanted is dict:
        # Several objects one after another are read as a list of them; the first one counts.
        value = next((item for item in value[:1] if isinstance(item, dict)), None)
    if not isinstance(value, wanted):
        raise ComponentError("the text cannot be read as JSON", hint='write it as in {"name": "value"}')
    return value


def _plain(value: Any) -> Any:
    """The same of what JSON has alone: no NaN, no half of a character. Raises ValueError."""
    try:
        return from_json(to_json(value, inf_nan_mode="null"))
    except PydanticSerializationError as error:
        raise ValueError("no JSON") from error
