"""Settings of a component: each that is wrong is told at its place, and hides nothing that is wrong in others."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.library import builtin_component
from sre_core.components.node import Node
from sre_core.errors import ComponentError
from sre_core.workflows.check_settings import settings_problems
from sre_core.workflows.problem import Place


class OvenSettings(ComponentSettings):
    fuel: Literal["gas", "wood"]
    degrees: int = Field(default=180, ge=50, le=300)
    dish: str = "bread"
    token: str = Field(min_length=1)
    day: str = Field(default="", pattern=r"^\d{4}-\d{2}-\d{2}$", description="The day: 2026-01-31.")
    minutes: int | list[int] = 30

    @model_validator(mode="after")
    def _fits(self) -> "OvenSettings":
        if self.dish == "stone":
            raise ValueError("a stone is no dish")
        return self


class Oven(Component):
    name = "Oven"
    settings_type = OvenSettings
    settings: OvenSettings

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        return {}

    def check(self) -> Iterator[str | Flaw]:
        if not self.node.inputs:
            yield "nothing comes in"
        if self.settings.dish == "soup":
            yield Flaw("soup needs a pot", "dish", "take a stove")
        if self.settings.degrees < 100 and self.settings.dish == "bread":
            yield Flaw("too cold for bread", "degrees")
        if self.settings.fuel.startswith("wood"):
            yield Flaw("wood is wet", "fuel")


SOUND = {"fuel": "gas", "token": "x"}


def said(data: Mapping[str, Any], cls: type[Component] = Oven) -> list[str]:
    node = Node(id="N", type=cls.name, data=data)
    return [str(problem) for problem in settings_problems(node, Place("here"), cls)]


def test_flaws_are_told_at_their_settings_with_their_hints():
    assert said({**SOUND, "dish": "soup", "fuel": "wood"}) == [
        "here: nothing comes in",
        "here.data.dish: soup needs a pot; take a stove",
        "here.data.fuel: wood is wet",
    ]


def test_a_setting_of_a_wrong_type_hides_nothing_of_the_others():
    assert said({**SOUND, "dish": "soup", "degrees": "hot"}) == [
        "here.data.degrees: must be a whole number",
        "here: nothing comes in",
        "here.data.dish: soup needs a pot; take a stove",
    ]


def test_a_setting_that_is_missing_hides_nothing_of_the_others():
    assert said({"fuel": "wood", "dish": "soup"}) == [
        "here.data.token: is missing or empty",
        "here: nothing comes in",
        "here.data.dish: soup needs a pot; take a stove",
        "here.data.fuel: wood is wet",
    ]


def test_a_check_that_needs_what_is_wrong_tells_what_it_found_before():
    assert said({"token": "x", "fuel": "coal", "dish": "soup"}) == [
        "here.data.fuel: must be 'gas' or 'wood'",
        "here: nothing comes in",
        "here.data.dish: soup needs a pot; take a stove",
    ]


def test_a_wrong_setting_is_told_once():
    assert said({**SOUND, "degrees": 60}) == ["here: nothing comes in", "here.data.degrees: too cold for bread"]
    assert said({**SOUND, "degrees": 20}) == ["here.data.degrees: must be 50 or more", "here: nothing comes in"]


def test_settings_that_do_not_go_together_are_told_as_a_whole():
    assert said({**SOUND, "dish": "stone"}) == ["here.data: a stone is no dish"]
    assert said({**SOUND, "dish": "stone", "degrees": 20}) == ["here.data.degrees: must be 50 or more"]


def test_a_value_that_is_none_of_several_types_is_one_problem():
    assert said({**SOUND, "minutes": "long"})[0] == (
        "here.data.minutes: must be a whole number, or must be a list, not a text"
    )


def test_a_text_of_a_wrong_form_is_told_with_what_the_setting_is():
    assert said({**SOUND, "day": "tomorrow"})[0] == (
        r"here.data.day: does not have the form '^\\d{4}-\\d{2}-\\d{2}$'; The day: 2026-01-31."
    )


def test_what_was_found_before_a_check_breaks_is_kept():
    class Broken(Oven):
        def check(self) -> Iterator[str | Flaw]:
            yield "cracked"
            raise ComponentError("and cold", hint="heat it")

    assert said(SOUND, Broken) == ["here: cracked", "here: and cold; heat it"]


@pytest.mark.parametrize(
    ("name", "data", "settings"),
    [
        ("FHash", {"algorithm": "md55", "encoding": "hexx"}, {"algorithm", "encoding"}),
        ("FSign", {"hashType": "md55", "signMethod": "DSA"}, {"hashType", "signMethod"}),
        ("HuggingFace", {"modelName": "x", "modelTask": "nonsense"}, {"accessToken", "modelTask"}),
        ("MemoryWriteKeyVal", {"scope": "foo"}, {"scope", "key"}),
    ],
)
def test_components_tell_all_settings_at_once(name, data, settings):
    cls = builtin_component(name)
    assert cls is not None
    found = settings_problems(Node(id="N", type=name, data=data), Place(), cls)
    assert {problem.path for problem in found} == {f"data.{setting}" for setting in settings}
