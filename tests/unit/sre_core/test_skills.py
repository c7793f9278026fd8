"""Skills: calling them, and what becomes of what they return."""

import asyncio
import contextvars
import dataclasses
import functools
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sre_core.errors import SkillError
from sre_core.skills import Skill, SkillContext, result_text


class Unit(Enum):
    C = "celsius"
    F = "fahrenheit"


class Place(BaseModel):
    city: str
    zip: int | None = None


@dataclass
class Span:
    days: int = 1


def forecast(
    place: Place,
    span: Span = Span(),  # noqa: B008
    unit: Unit = Unit.C,
    style: Literal["short", "long"] = "short",
    on: date | None = None,
    tags: list[str] | None = None,
) -> str:
    return f"{place!r} {span!r} {unit} {style} {on} {tags}"


async def test_arguments_are_coerced_to_the_hints():
    skill = Skill.from_function(forecast)
    text = await skill.call(
        {"place": {"city": "Rome", "zip": "1"}, "span": {"days": "3"}, "unit": "fahrenheit", "on": "2026-01-02"}
    )
    assert text == "Place(city='Rome', zip=1) Span(days=3) Unit.F short 2026-01-02 None"


async def test_defaults_stay_the_functions_own():
    skill = Skill.from_function(forecast)
    assert "Span(days=1) Unit.C short None None" in await skill.call({"place": {"city": "Rome"}})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "'place' is missing"),
        ({"place": {}}, "'place.city' is missing"),
        ({"place": "Rome"}, "'place': Input should be a valid dictionary"),
        (
            {"place": {"city": "Rome"}, "unit": "kelvin"},
            "'unit': Input should be 'celsius' or 'fahrenheit', not 'kelvin'",
        ),
        ({"place": {"city": "Rome"}, "style": None}, "'style': Input should be 'short' or 'long'"),
        ({"place": {"city": "Rome"}, "tags": ["a", 1]}, "'tags[1]': Input should be a valid string"),
        ({"place": {"city": "Rome"}, "when": "now"}, "'when' is not known"),
        ({"place": {"city": "x" * 500}, "on": "y" * 500}, "..."),
    ],
)
async def test_a_bad_argument_is_named_before_the_function_runs(arguments, says):
    ran = []

    @functools.wraps(forecast)
    def watched(**options: Any) -> None:
        ran.append(options)

    with pytest.raises(SkillError) as caught:
        await Skill.from_function(watched).call(arguments)
    assert says in caught.value.message
    assert len(caught.value.message) < 400
    assert "its arguments are: place, span, unit" in caught.value.hint
    assert ran == []


async def test_several_problems_are_told_at_once():
    with pytest.raises(SkillError) as caught:
        await Skill.from_function(forecast).call({"unit": "kelvin", "x": 1})
    assert caught.value.message.count("\n") == 2


class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, n: int = 1) -> int:
        """Add n."""
        self.total += n
        return self.total

    async def __call__(self, n: int) -> int:
        return self.add(n)

    @staticmethod
    def zero() -> int:
        return 0

    @classmethod
    def named(cls) -> str:
        return cls.__name__


async def twice(n: int, *, times: int = 2) -> int:
    return n * times


async def test_all_kinds_of_callables_can_be_skills():
    counter = Counter()
    assert await Skill.from_function(counter.add).call({"n": 2}) == 2
    assert await Skill.from_function(counter).call({"n": 3}) == 5
    assert Skill.from_function(counter).name == "Counter"
    assert await Skill.from_function(Counter.zero).call({}) == 0
    assert await Skill.from_function(Counter.named).call({}) == "Counter"
    assert await Skill.from_function(twice).call({"n": 3}) == 6
    thrice = Skill.from_function(functools.partial(twice, times=3))
    assert thrice.name == "twice"
    assert "times" not in thrice.parameters["properties"]
    assert await thrice.call({"n": 3}) == 9
    assert await Skill.from_function(lambda n: n, name="same").call({"n": [1]}) == [1]


async def test_a_sync_function_runs_in_a_thread_with_the_callers_context():
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("mine")

    def where() -> tuple[bool, str]:
        return threading.current_thread() is threading.main_thread(), variable.get()

    assert await Skill.from_function(where).call({}) == (False, "mine")


async def test_what_a_function_raises_comes_out_as_it_is():
    def broken() -> None:
        raise ZeroDivisionError("x")

    async def too_late() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(ZeroDivisionError):
        await Skill.from_function(broken).call({})
    with pytest.raises(TimeoutError, match="of its own"):
        await Skill.from_function(too_late, timeout=5).call({})


async def test_a_timeout_leaves_a_thread_behind_instead_of_waiting_for_it(skip):
    began, release, ended = threading.Event(), threading.Event(), threading.Event()

    def blocks() -> None:
        began.set()
        release.wait()
        ended.set()

    call = asyncio.create_task(Skill.from_function(blocks, timeout=600).call({}))
    assert await asyncio.to_thread(began.wait, 60)
    skip(601)
    with pytest.raises(SkillError, match=r"did not finish within 600 s"):
        await call
    release.set()
    assert await asyncio.to_thread(ended.wait, 60)


def test_a_thread_that_never_ends_does_not_keep_the_process_alive():
    code = """
import asyncio, threading
from sre_core.skills import Skill
def blocks(): threading.Event().wait()
asyncio.run(Skill.from_function(blocks, timeout=0.01).call({}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300, check=False)
    assert b"did not finish within 0.01 s" in done.stderr


async def test_the_context_goes_to_the_parameter_that_is_annotated_with_it():
    def peek(n: int, context: SkillContext) -> Any:
        return n, context

    def perhaps(c: "SkillContext | None" = None) -> Any:
        return c

    context: Any = object()
    skill = Skill.from_function(peek)
    assert list(skill.parameters["properties"]) == ["n"]
    assert await skill.call({"n": 1}, context) == (1, context)
    assert await Skill.from_function(perhaps).call({}, context) is context
    with pytest.raises(SkillError, match="'context' is not known"):
        await skill.call({"n": 1, "context": {}}, context)


async def test_a_skill_made_by_hand_checks_names_and_plain_types():
    async def remote(**arguments: Any) -> Any:
        return arguments

    properties = {"n": {"type": "integer"}, "kind": {"type": ["string", "null"], "enum": ["a", None]}, "any": {}}
    schema = {"type": "object", "properties": properties, "required": ["n"], "additionalProperties": False}
    skill = Skill(name="remote", description="", parameters=schema, function=remote)
    assert await skill.call({"n": 1, "kind": None, "any": [1]}) == {"n": 1, "kind": None, "any": [1]}
    bad = [{}, {"n": "1"}, {"n": True}, {"n": 1.5}, {"n": 1, "kind": "b"}, {"n": 1, "kind": 3}, {"n": 1, "m": 1}]
    for arguments in bad:
        with pytest.raises(SkillError, match="bad arguments for skill 'remote'"):
            await skill.call(arguments)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "é"},
        {"name": "a" * 65},
        {"timeout": 0},
        {"timeout": -1},
        {"function": 3},
    ],
)
def test_a_skill_that_cannot_be_called_is_refused(wrong):
    right: dict[str, Any] = {"name": "ok", "description": "", "parameters": {}, "function": print}
    with pytest.raises(SkillError):
        Skill(**{**right, **wrong})


def test_a_skill_never_changes():
    skill = Skill.from_function(twice)
    with pytest.raises(dataclasses.FrozenInstanceError):
        skill.name = "other"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        (0, "0"),
        (False, "false"),
        ([], "[]"),
        ({"é": [1, 2.5]}, '{"é":[1,2.5]}'),
        (Place(city="Rome"), '{"city":"Rome","zip":null}'),
        ([Span(days=2)], '[{"days":2}]'),
        ({"on": date(2026, 1, 2), "unit": Unit.C}, '{"on":"2026-01-02","unit":"celsius"}'),
        ((1, {2}), "[1,[2]]"),
        (float("nan"), '"NaN"'),
        (b"bytes", '"bytes"'),
    ],
)
def test_results_become_text(value, text):
    assert result_text("s", value) == text


def cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "kind"),
    [(object(), "object"), ([object()], "list"), (b"\xff", "bytes"), (cycle(), "list"), (len, "builtin")],
)
def test_a_result_that_is_not_json_is_refused_with_its_type(value, kind):
    with pytest.raises(SkillError, match=f"skill 's' returned something that is not JSON, of type '{kind}"):
        result_text("s", value)


def test_a_description_in_annotated_reaches_the_model():
    def f(n: Annotated[int, Field(description="how many", le=3)]) -> None:
        """Do it."""

    assert Skill.from_function(f).spec.parameters["properties"]["n"] == {
        "type": "integer",
        "description": "how many",
        "maximum": 3,
    }
