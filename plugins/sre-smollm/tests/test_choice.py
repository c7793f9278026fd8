"""The choice of a skill: its signs, its restraint, and when a second one is called."""

from collections.abc import Sequence

import numpy as np
import pytest

from sre_core.connectors.llm import LLMRequest
from sre_core.messages import Message, SkillCall, SkillSpec
from sre_smollm.prompts.choice import choose, rank

WEATHER = SkillSpec(name="get_weather", description="Get the weather of a city.", parameters={"type": "object"})
TIMER = SkillSpec(
    name="set_timer",
    description="Start a timer that rings.",
    parameters={"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]},
)
TOPICS = 5


def tokens(text):
    return [ord(letter) for letter in text]


def likelihoods(values):
    """A score for beginnings that hold one of these words; topics and all other skills get -50 nats."""

    def score(prefixes: Sequence[Sequence[int]], words: Sequence[int]):
        yield ()
        texts = ["".join(map(chr, prefix)) for prefix in prefixes]
        return [next((value for word, value in values.items() if word in text), -50.0) for text in texts]

    return score


def result(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def ask(text, **fields):
    return LLMRequest(messages=(Message.user(text),), skills=(WEATHER, TIMER), **fields)


def chosen(request, values, **more):
    found = result(choose(request, likelihoods(values), tokens=tokens, **more))
    return found.name if found is not None else None


def test_a_skill_that_explains_the_request_far_better_than_any_topic_is_called():
    assert chosen(ask("Is it raining in Oslo?"), {"get weather": -20.0}) == "get_weather"


def test_no_skill_is_called_when_a_topic_explains_the_request_better():
    assert chosen(ask("Hello there!"), {"Greetings": -10.0, "get weather": -30.0}) is None


def test_words_of_the_name_speak_for_a_skill():
    scores = result(rank("the weather", [WEATHER, TIMER], likelihoods({}), tokens=tokens))
    assert scores[0] > scores[1]


def test_more_restraint_means_fewer_calls():
    request, values = ask("Is it raining in Oslo?"), {"get weather": -20.0}
    assert chosen(request, values, restraint=50.0) is None
    assert chosen(request, {}, restraint=-50.0) is not None


def test_a_skill_that_needs_a_number_scores_less_when_the_request_has_none():
    without, with_number = (
        result(rank(words, [TIMER], likelihoods({}), tokens=tokens))[0] for words in ("timer", "timer 7")
    )
    assert without == pytest.approx(with_number - 2.0)


def test_the_likelihood_of_each_skill_is_asked_for_once_with_the_topics_first():
    seen = []

    def score(prefixes, words):
        yield ()
        seen.append((len(prefixes), "".join(map(chr, words))))
        return [0.0] * len(prefixes)

    result(rank("rain", [WEATHER, TIMER], score, tokens=tokens))
    assert seen == [(TOPICS + 2, "rain")]


def test_a_long_request_is_looked_at_in_part():
    lengths = []

    def score(prefixes, words):
        yield ()
        lengths.append(len(words))
        return [0.0] * len(prefixes)

    result(rank("rain " * 1000, [WEATHER], score, tokens=tokens))
    assert lengths == [128]


def test_embeddings_that_are_near_speak_for_a_skill():
    def embed(texts):
        assert texts[0] == "How wet is it outside?"
        return np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)

    assert chosen(ask("How wet is it outside?"), {}, embed=embed) == "get_weather"


def test_embeddings_that_are_far_speak_against_every_skill():
    def embed(texts):
        return np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 0.995]], dtype=np.float32)

    assert chosen(ask("Who wrote Hamlet?"), {}, embed=embed) is None


def test_a_required_choice_takes_the_best_skill_however_low_it_scores():
    assert chosen(ask("Hello!", skill_choice="required"), {"set timer": -45.0}) == "set_timer"


def test_a_skill_that_has_answered_is_not_called_again():
    call = SkillCall(id="call_1", name="get_weather", arguments="{}")
    messages = (
        Message.user("Is it raining in Oslo?"),
        Message.assistant("", skill_calls=(call,)),
        Message.result(call, "rain"),
    )
    request = LLMRequest(messages=messages, skills=(WEATHER, TIMER))
    assert chosen(request, {"get weather": -1.0}) is None


def test_without_words_nothing_is_called_and_nothing_is_scored():
    def score(prefixes, words):
        raise AssertionError("nothing to score")
        yield ()

    assert result(choose(ask("   "), score, tokens=tokens)) is None


def test_no_skills_give_no_scores():
    assert result(rank("rain", [], likelihoods({}), tokens=tokens)) == []
