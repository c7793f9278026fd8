"""From a function to the schema that a model sees."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sre_core.errors import SkillError
from sre_core.skills import Skill, SkillContext

if TYPE_CHECKING:
    from nowhere import Missing


def schema_of(function: Any) -> Any:
    return Skill.from_function(function).parameters


def property_of(function: Any, name: str) -> Any:
    return schema_of(function)["properties"][name]


def google(city: str, days: int = 1) -> None:
    """Tell the weather.

    Of any place.

    Args:
        city: where it is
        days (int): how many days

    Returns:
        Nothing.
    """


def numpy_style(city: str, days: int = 1) -> None:
    """Tell the weather.

    Of any place.

    Parameters
    ----------
    city : str
        where it is
    days : int
        how many days
    """


def rest(city: str, days: int = 1) -> None:
    """Tell the weather.

    Of any place.

    :param city: where it is
    :param days: how many days
    """


@pytest.mark.parametrize("function", [google, numpy_style, rest])
def test_texts_come_from_the_docstring_in_any_style(function):
    skill = Skill.from_function(function)
    assert skill.description == "Tell the weather.\n\nOf any place."
    assert skill.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where it is"},
            "days": {"type": "integer", "description": "how many days", "default": 1},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def test_name_and_description_can_be_given():
    skill = Skill.from_function(google, name="weather", description="")
    assert (skill.name, skill.description, skill.spec.name) == ("weather", "", "weather")


def test_annotated_wins_over_the_docstring():
    def f(a: Annotated[int, "from text"], b: Annotated[int, Field(description="from field")], c: int) -> None:
        """Do.

        Args:
            a: from docs
            b: from docs
            c: from docs
        """

    texts = {name: value["description"] for name, value in schema_of(f)["properties"].items()}
    assert texts == {"a": "from text", "b": "from field", "c": "from docs"}


class Inner(BaseModel):
    """A part."""

    title: str
    kind: Literal["a", "b"] = Field("a", description="which")


@dataclass
class Outer:
    inner: Inner
    default: dict[str, int] | None = None


def test_nested_models_keep_their_fields_and_lose_only_made_up_titles():
    def f(outer: Outer, many: list[Inner]) -> None: ...

    schema = schema_of(f)
    assert schema["properties"] == {
        "outer": {"$ref": "#/$defs/Outer"},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Inner"}},
    }
    inner = schema["$defs"]["Inner"]
    assert inner["description"] == "A part."
    assert inner["properties"]["title"] == {"type": "string"}
    assert inner["properties"]["kind"] == {"enum": ["a", "b"], "type": "string", "default": "a", "description": "which"}


def test_a_default_that_looks_like_a_schema_is_left_alone():
    def f(options: dict[str, str] = {"title": "x"}) -> None: ...  # noqa: B006

    assert property_of(f, "options")["default"] == {"title": "x"}


def test_a_default_that_json_cannot_hold_is_left_out_without_a_warning():
    missing = object()

    def f(a: Any = missing) -> bool:
        return a is missing

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert schema_of(f) == {"type": "object", "properties": {"a": {}}, "additionalProperties": False}


async def test_defaults_written_as_fields_work():
    def f(a: int = Field(3, description="three"), b: Annotated[int, Field(ge=1)] = 1) -> int:
        return a + b

    skill = Skill.from_function(f)
    assert skill.parameters["properties"]["a"] == {"type": "integer", "default": 3, "description": "three"}
    assert "required" not in skill.parameters
    assert await skill.call({}) == 4


async def test_any_parameter_name_is_allowed():
    def f(copy: int, model_config: int, schema: int, _x: int, self: int) -> list[int]:
        return [copy, model_config, schema, _x, self]

    names = ["copy", "model_config", "schema", "_x", "self"]
    assert await Skill.from_function(f).call(dict.fromkeys(names, 1)) == [1] * 5


def test_no_annotation_means_any_json():
    def f(a, b=None): ...

    assert schema_of(f)["properties"] == {"a": {}, "b": {"default": None}}


def test_a_function_without_parameters_has_an_empty_object():
    def f() -> None: ...

    assert schema_of(f) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_return_annotation_that_cannot_be_resolved_does_not_matter():
    def f(a: int, context: "SkillContext | None" = None) -> "Missing": ...

    assert list(schema_of(f)["properties"]) == ["a"]


class Plain:
    pass


def positional(a, /): ...
def star(*a): ...
def stars(**a): ...
def unresolved(a: "Missing"): ...
def broken(a: "int |"): ...  # noqa: F722
def plain(a: Plain): ...
def deep(a: list[dict[str, Plain]]): ...
def generator():
    yield 1


async def agenerator():
    yield 1


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (positional, "'a' is positional-only"),
        (star, "'a' is a .parameter"),
        (stars, "'a' is a ..parameter"),
        (unresolved, "annotation 'Missing' of parameter 'a' cannot be resolved"),
        (broken, "of parameter 'a' cannot be resolved"),
        (plain, "skill 'plain': parameter 'a' has a type that has no JSON schema"),
        (deep, "parameter 'a' has a type"),
        (generator, "is a generator"),
        (agenerator, "is a generator"),
        (lambda a: a, "lambda has no name"),
        (3, "is not callable"),
        (dict, "no readable signature|is positional-only|is a"),
    ],
)
def test_what_cannot_be_a_skill_is_refused_by_name(function, says):
    with pytest.raises(SkillError, match=says) as caught:
        Skill.from_function(function)
    assert caught.value.hint


def test_an_illegal_name_is_refused():
    def été() -> None: ...

    with pytest.raises(SkillError, match="illegal skill name 'été'"):
        Skill.from_function(été)
