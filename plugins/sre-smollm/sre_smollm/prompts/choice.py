"""Which skill a request asks for, if any: by how likely the request is for each, not by asking the model.

Asked outright, a model this small answers by chance. Asked how well the user's words follow the description of
a skill (a noisy channel), it knows. Being in no need of a skill is measured the same way, as a handful of topics.
Words that the request shares with the name or the description of a skill speak for it too.
"""

import re
from collections.abc import Sequence

from sre_core.connectors.llm import LLMRequest
from sre_core.messages import Message, MessageRole, SkillSpec
from sre_smollm.engine.engine import Worker

__all__ = ["choose", "rank"]

# Each skill and each topic is put in these two ways; one alone is noisier.
_LIST = 'Requests for the skill "{name}" ({description})\n1. '
_TALK = "{description}\nUser: "
_TOPICS = (
    ("Requests for a chat about anything\n1. ", "Chat about anything.\nUser: "),
    (
        "Questions of general knowledge\n1. ",
        "Answer a question about the world, people, science or history.\nUser: ",
    ),
    ("Greetings and small talk\n1. ", "Greet, thank and say goodbye.\nUser: "),
    (
        "Requests to write a story, a poem or a translation\n1. ",
        "Write a story, a poem, a joke or a translation.\nUser: ",
    ),
    ("Requests for an explanation or advice\n1. ", "Explain something or give tips.\nUser: "),
)
# In nats: the score from which a skill is called, and from which a second skill is called before an answer.
# Set on forty requests, checked on twenty others; between -1.5 and 0 nothing much changes.
_THRESHOLD = -0.5
_AGAIN = 8.0
# What a shared word is worth, in nats, and at most so many of a description count.
_NAME_WORD = 3.0
_DESCRIPTION_WORD = 1.5
_DESCRIPTION_WORDS = 2
# Tokens of the request that are looked at; more is slower and not better.
_LONGEST = 128
_EMPTY_WORDS = frozenset(
    "a about all an and any are as at be by can do does for from get given gets has have how i in into is it its me "  # noqa: SIM905
    "my not of on one or please return returns some than that the them then this to two use used using was what "
    "which who will with would you your according".split()
)
_ENDINGS = ("ing", "ions", "ion", "es", "ed", "s", "e")


def choose(worker: Worker, request: LLMRequest) -> SkillSpec | None:
    """The skill to call, or None to answer in text. Raises Cancelled.

    Once a skill has answered the user's last message, an answer in text comes next: the same skill is not
    called again, another one only when it is far likelier than any topic.
    """
    required = request.skill_choice == "required"
    if required and len(request.skills) == 1:
        return request.skills[0]
    words, done = _situation(request.messages)
    if not words and not required:
        return None
    skills = [skill for skill in request.skills if required or skill.name not in done]
    scores = rank(worker, words, skills)
    best = max(range(len(skills)), key=scores.__getitem__, default=None)
    if best is None or (not required and scores[best] <= (_AGAIN if done else _THRESHOLD)):
        return None
    return skills[best]


def rank(worker: Worker, words: str, skills: Sequence[SkillSpec]) -> list[float]:
    """For each skill, how much more `words` ask for it than for talk about some topic, in nats."""
    tokens = worker.template.tokens
    ids = tokens(words)[:_LONGEST] or tokens(" ")

    names = [re.sub(r"[_.-]+", " ", skill.name) for skill in skills]
    described = [skill.description.strip() or name for skill, name in zip(skills, names, strict=True)]
    scores = [_shared(words, name, about) for name, about in zip(names, described, strict=True)]
    for way, form in enumerate((_LIST, _TALK)):
        asked = [form.format(name=name, description=about) for name, about in zip(names, described, strict=True)]
        prefixes = [topic[way] for topic in _TOPICS] + asked
        found = worker.likelihoods([tokens(prefix) for prefix in prefixes], ids)
        none = max(found[: len(_TOPICS)])
        for place, value in enumerate(found[len(_TOPICS) :]):
            scores[place] += (value - none) / 2
    return scores


def _shared(words: str, name: str, description: str) -> float:
    said, named = _stems(words), _stems(name)
    described = len(said & (_stems(description) - named))
    return _NAME_WORD * len(said & named) + _DESCRIPTION_WORD * min(described, _DESCRIPTION_WORDS)


def _stems(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, without their endings; good enough for English."""
    found = (word.lower() for word in re.findall(r"[^\W\d_]{2,}", text))
    return frozenset(_stem(word) for word in found if word not in _EMPTY_WORDS)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _situation(messages: Sequence[Message]) -> tuple[str, frozenset[str]]:
    """What the user said last, and the skills that ran since."""
    done: set[str] = set()
    for message in reversed(messages):
        if message.role is MessageRole.USER:
            return message.text.strip(), frozenset(done)
        if message.role is MessageRole.SKILL and message.name is not None:
            done.add(message.name)
    return "", frozenset(done)
