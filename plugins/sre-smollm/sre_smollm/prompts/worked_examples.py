"""A plain prompt for the arguments of one skill: worked examples first, then the skill, then the request.

A very small model follows examples of a plain form better than instructions in a chat. The examples are the same for
all requests, and the skill comes before the request, so that both beginnings can be kept between requests.
"""

import json
from collections.abc import Mapping
from typing import Any

from sre_core.messages import SkillSpec
from sre_smollm.prompts.stems import plain_name

__all__ = ["arguments_prompt"]

_TASK = "Write the arguments of each call. Take them from the request."
_FORM = "Function: {name}: {description}{arguments}\nRequest: {words}\nArguments: "
# Each shows another way to copy: a part of a sentence, a name with a comma, an order of two, a text to its end.
_EXAMPLES: tuple[tuple[str, str, dict[str, str], str, dict[str, Any]], ...] = (
    (
        "set_timer",
        "Start a timer that rings.",
        {"minutes": "how long", "label": "what it is for"},
        "Set a timer for 5 minutes called tea.",
        {"minutes": 5, "label": "tea"},
    ),
    (
        "find_hotels",
        "Find hotels in a city.",
        {"city": "the city", "stars": "how good", "near": "a place that it is close to"},
        "I need a 4 star hotel close to the Ponte Vecchio in Florence, Italy for next week",
        {"city": "Florence, Italy", "stars": 4, "near": "Ponte Vecchio"},
    ),
    (
        "measure_distance",
        "Measure the distance between two places.",
        {"start": "where it begins", "end": "where it ends"},
        "How far is it from Oslo to Bergen?",
        {"start": "Oslo", "end": "Bergen"},
    ),
    (
        "share_message",
        "Send a message to somebody.",
        {"person": "who gets it", "message": "what it says"},
        "Tell Maria Lopez that the train is late",
        {"person": "Maria Lopez", "message": "the train is late"},
    ),
)


def arguments_prompt(skill: SkillSpec, words: str) -> str:
    """Text after which the model writes the arguments of `skill` for the request `words`, as JSON.

    Only the arguments in the skill's parameters are named, so narrow these first. Marks of the model in the text are
    for the caller to take apart.
    """
    parts = [_TASK]
    for name, description, arguments, request, values in _EXAMPLES:
        parts.append(_one(name, description, arguments, request) + json.dumps(values))
    properties = skill.parameters.get("properties", {})
    described = {name: _about(name, part) for name, part in properties.items()}
    parts.append(_one(skill.name, skill.description, described, words))
    return "\n\n".join(parts)


def _one(name: str, description: str, arguments: Mapping[str, str], words: str) -> str:
    lines = "".join(f"\n- {key}: {about}" for key, about in arguments.items())
    return _FORM.format(name=name, description=description, arguments=lines, words=words)


def _about(name: str, schema: Any) -> str:
    described = schema.get("description") if isinstance(schema, Mapping) else None
    return str(described or plain_name(name))
