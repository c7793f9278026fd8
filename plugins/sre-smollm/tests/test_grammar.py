"""Masks over the next token: what is forbidden cannot be picked, what is forced is not asked."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sre_core.errors import UnsupportedError
from sre_core.messages import SkillSpec
from sre_smollm.engine.engine import Emit
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.writing.generation import Sampler, Sampling, Writer
from sre_smollm.writing.toolcalls import call_schema

from .engine_work import Run, Watched, finish  # noqa: TID252 -- the folder of tests is no package

PLACE = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "kind": {"enum": ["town", "village"]},
        "size": {"type": "integer", "minimum": 0, "maximum": 99},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}, "maxItems": 2},
    },
    "required": ["city", "kind", "size", "tags"],
    "$defs": {"Tag": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}},
}


def _written(tools, network, constraint, *, seed, limit=300):
    """What a writer writes under a constraint, with the numbers of the scheduler."""
    writer = Writer([5, 6], Sampler(Sampling(temperature=1.0, seed=seed)), ends=tools.ends, limit=limit)

    def work(emit: Emit[bytes]):
        while tokens := (yield from writer.write(constraint)):
            emit(b"".join(tools.template.bytes_of(token) for token in tokens))

    scheduler = Scheduler(network, Limits())
    run = Run(scheduler, work)
    finish(scheduler)
    assert run.error is None
    return b"".join(run.items), writer, scheduler.stats()


@pytest.mark.parametrize("seed", range(6))
def test_random_weights_write_what_fits_the_schema(tiny_tools, tiny_network, seed):
    constraint = tiny_tools.grammars.schema(PLACE, what="a place")
    text, writer, _ = _written(tiny_tools, tiny_network, constraint, seed=seed)
    value = json.loads(text)
    assert writer.ended
    assert len(value["city"]) <= 8
    assert value["kind"] in PLACE["properties"]["kind"]["enum"]
    assert 0 <= value["size"] <= 99
    assert len(value["tags"]) <= 2


def test_forced_tokens_take_no_step_of_their_own(tiny_tools, tiny_network):
    watched = Watched(tiny_network)
    constraint = tiny_tools.grammars.schema(PLACE, what="a place")
    _, writer, stats = _written(tiny_tools, watched, constraint, seed=1)
    assert stats.forced_tokens == writer.sequence.forced > 30
    assert stats.written_tokens == writer.written
    assert len(watched.steps) <= writer.written - stats.forced_tokens + 1


def test_a_limit_cuts_forced_tokens_too(tiny_tools, tiny_network):
    constraint = tiny_tools.grammars.schema(PLACE, what="a place")
    _, writer, _ = _written(tiny_tools, tiny_network, constraint, seed=1, limit=5)
    assert (writer.written, writer.ended) == (5, False)


def test_a_mask_leaves_only_what_the_grammar_allows(tiny_tools):
    constraint = tiny_tools.grammars.schema({"enum": ["ab", "cd"]}, what="letters")
    assert tiny_tools.template.bytes_of(constraint.forced()[-1]) == b'"'
    scores = np.zeros(tiny_tools.info.vocabulary + 7, dtype=np.float32)
    allowed = np.flatnonzero(np.isfinite(constraint.mask(scores)))
    assert {tiny_tools.template.bytes_of(int(token)) for token in allowed} == {b"a", b"c"}
    assert not constraint.accept(tiny_tools.template.tokens("x")[0])


def test_replies_do_not_share_their_place_in_a_grammar(tiny_tools):
    first, second = (tiny_tools.grammars.schema({"enum": ["ab", "cd"]}, what="letters") for _ in range(2))
    first.forced()
    first.accept(tiny_tools.template.tokens("a")[0])
    assert [tiny_tools.template.bytes_of(token) for token in first.forced()] == [b"b", b'"']
    assert [tiny_tools.template.bytes_of(token) for token in second.forced()] == [b'"']


def test_the_order_of_keys_is_that_of_the_schema(tiny_tools, tiny_network):
    orders = (("b", "a"), ("a", "b"))
    for order in orders:
        schema = {"type": "object", "properties": {key: {"type": "null"} for key in order}, "required": list(order)}
        text, _, _ = _written(tiny_tools, tiny_network, tiny_tools.grammars.schema(schema, what="keys"), seed=1)
        assert tuple(json.loads(text)) == order


def test_what_no_grammar_can_express_is_refused_by_name(tiny_tools):
    with pytest.raises(UnsupportedError, match="of skill 'odd'") as caught:
        tiny_tools.grammars.schema({"type": "string", "pattern": "(?=a)b"}, what="skill 'odd'")
    assert "plain types" in caught.value.hint


def test_definitions_of_several_skills_do_not_collide():
    skills = [
        SkillSpec(
            name=name,
            description="",
            parameters={
                "type": "object",
                "properties": {"at": {"$ref": "#/$defs/P"}},
                "$defs": {"P": {"type": kind}},
            },
        )
        for name, kind in (("one", "string"), ("two", "integer"))
    ]
    schema = call_schema(skills)
    assert schema["$defs"] == {"0.P": {"type": "string"}, "1.P": {"type": "integer"}}
    targets = [form["properties"]["arguments"]["properties"]["at"]["$ref"] for form in schema["anyOf"]]
    assert targets == ["#/$defs/0.P", "#/$defs/1.P"]


def test_applying_a_mask_costs_a_small_part_of_a_token(tiny_tools):
    constraint = tiny_tools.grammars.schema({"type": "string"}, what="text")
    constraint.forced()
    # What a mask costs besides its computation grows with the vocabulary; this one is as large as SmolLM3's.
    scores = np.zeros(128_256, dtype=np.float32)

    def seconds(work: Callable[[], Any]) -> float:
        work()
        began = time.process_time()
        for _ in range(100):
            work()
        return time.process_time() - began

    # Less than to go through all scores a few times, which is some percent of a token on any machine.
    passing = seconds(lambda: np.where(scores > 0, scores, -np.inf))
    assert seconds(lambda: constraint.mask(scores)) < 3 * passing
