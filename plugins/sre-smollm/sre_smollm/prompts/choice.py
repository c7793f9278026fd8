"""Which skill a request asks for, if any: weighed from a few simple signs, not by asking the model.

Asked outright, a model this small answers by chance. Asked how well the user's words follow the description of
a skill (a noisy channel), it knows; being in no need of a skill is measured the same way, as a handful of topics.
Where there are sentence embeddings, how near the request is to the skill counts too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sre_core.connectors.llm import LLMRequest
from sre_core.messages import Message, MessageRole, SkillSpec
from sre_smollm.engine.reading import Steps
from sre_smollm.prompts.stems import plain_name, stems
from sre_smollm.prompts.values import numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embed", "Score", "choose", "rank"]

Score = Callable[[Sequence[Sequence[int]], Sequence[int]], Steps[list[float]]]
"""How likely the same tokens are after each of some beginnings, in nats."""
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Normalised sentence embeddings, of shape (texts, dimensions)."""

# What belongs to the skill comes first and the request last, so that beginnings can be kept between requests.
_ASKED = 'Requests for the skill "{name}" ({description})\n1. '
_TOPICS = (
    "Requests for a chat about anything\n1. ",
    "Questions of general knowledge\n1. ",
    "Greetings and small talk\n1. ",
    "Requests to write a story, a poem or a translation\n1. ",
    "Requests for an explanation or advice\n1. ",
)
# Tokens of the request that are looked at; more is slower and not better.
_LONGEST = 128
# More than any token has, so that no more of a long text is cut into tokens than is looked at.
_LETTERS = 32
# From this score on a second skill is called before the answer: it must be far likelier than the first.
_AGAIN = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """What each sign is worth, in the units of a logistic regression.

    `likelihood` is per nat that the request is likelier for the skill than for the likeliest topic; `name` and
    `description` are for the share of their words that the request holds; `lacking` is for a skill that needs a
    number where the request has none; `nearness` is per unit of cosine; `lead` is per unit (cosine with embeddings,
    else nats) over the next skill, up to `most_lead`; `start` is the score of no sign at all.
    """

    likelihood: float
    name: float
    description: float
    lacking: float
    nearness: float
    lead: float
    most_lead: float
    start: float


# Fitted on 223 requests, each judged by a fit without it (ten folds), and rounded; checked on 132 others.
_WITH_EMBEDDINGS = _Weights(
    likelihood=0.09, name=2.2, description=0.0, lacking=-2.0, nearness=4.0, lead=15.0, most_lead=0.2, start=-2.9
)
_ALONE = _Weights(
    likelihood=0.09, name=2.0, description=2.8, lacking=-2.0, nearness=0.0, lead=0.6, most_lead=6.0, start=-1.9
)


def choose(
    request: LLMRequest,
    score: Score,
    *,
    tokens: Callable[[str], list[int]],
    embed: Embed | None = None,
    restraint: float = 0.0,
) -> Steps[SkillSpec | None]:
    """The skill to call, or None to answer in text: the best one, if its score is above `restraint`.

    Once a skill has answered the user's last message, an answer in text comes next: the same skill is not
    called again, another one only when it scores far higher.
    """
    required = request.skill_choice == "required"
    if required and len(request.skills) == 1:
        return request.skills[0]
    words, done = _situation(request.messages)
    if not words and not required:
        return None
    skills = [skill for skill in request.skills if required or skill.name not in done]
    scores = yield from rank(words, skills, score, tokens=tokens, embed=embed)
    best = max(range(len(skills)), key=scores.__getitem__, default=None)
    if best is None or (not required and scores[best] <= restraint + (_AGAIN if done else 0.0)):
        return None
    return skills[best]


def rank(
    words: str,
    skills: Sequence[SkillSpec],
    score: Score,
    *,
    tokens: Callable[[str], list[int]],
    embed: Embed | None = None,
) -> Steps[list[float]]:
    """For each skill, how much `words` ask for it: above 0 it should be called, unless another one scores higher."""
    if not skills:
        return []
    names = [plain_name(skill.name) for skill in skills]
    described = [skill.description.strip() or name for skill, name in zip(skills, names, strict=True)]
    asked = [_ASKED.format(name=name, description=about) for name, about in zip(names, described, strict=True)]
    ids = tokens(words[: _LONGEST * _LETTERS])[:_LONGEST] or tokens(" ")
    found = yield from score([tokens(prefix) for prefix in (*_TOPICS, *asked)], ids)
    topic = max(found[: len(_TOPICS)])
    likelier = [value - topic for value in found[len(_TOPICS) :]]

    weights, near = _ALONE, likelier
    if embed is not None:
        vectors = embed([words, *(f"{name}: {about}" for name, about in zip(names, described, strict=True))])
        weights, near = _WITH_EMBEDDINGS, [float(value) for value in vectors[1:] @ vectors[0]]
    said, has_number = stems(words), bool(numbers(words))
    scores = []
    for place, skill in enumerate(skills):
        scores.append(
            weights.start
            + weights.likelihood * likelier[place]
            + weights.name * _share(names[place], said)
            + weights.description * _share(described[place], said)
            + weights.lacking * (not has_number and _needs_number(skill.parameters))
            + weights.nearness * near[place]
            + weights.lead * min(_lead(near, place), weights.most_lead)
        )
    return scores


def _share(text: str, said: frozenset[str]) -> float:
    """The share of the words of `text` that were said."""
    found = stems(text)
    return len(found & said) / max(1, len(found))


def _lead(values: Sequence[float], place: int) -> float:
    """By how much a value is above all others; 0 for one that is not the highest, or alone."""
    rest = [value for other, value in enumerate(values) if other != place]
    return max(0.0, values[place] - max(rest, default=values[place]))


def _needs_number(parameters: Mapping[str, Any]) -> bool:
    properties = parameters.get("properties", {})
    parts = (properties.get(name) for name in parameters.get("required", ()))
    return any(isinstance(part, Mapping) and part.get("type") in ("integer", "number") for part in parts)


def _situation(messages: Sequence[Message]) -> tuple[str, frozenset[str]]:
    """What the user said last, and the skills that ran since."""
    done: set[str] = set()
    for message in reversed(messages):
        if message.role is MessageRole.USER:
            return message.text.strip(), frozenset(done)
        if message.role is MessageRole.SKILL and message.name is not None:
            done.add(message.name)
    return "", frozenset(done)
