"""What is wrong with a setting is told in plain words, without its value."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, AnyUrl, BaseModel, Field, TypeAdapter, ValidationError

from sre_core.components.setting_words import in_plain_words


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Box(BaseModel):
    width: int


def _refuse(value: str) -> str:
    raise ValueError("this is never right")


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        (str, ["hush"], "must be a text, not a list"),
        (int, None, "must be a whole number, not null"),
        (int, "hush", "must be a whole number"),
        (int, 1.5, "must be a whole number"),
        (float, {}, "must be a number, not an object"),
        (float, "hush", "must be a number"),
        (bool, "hush", "must be true or false"),
        (bool, [], "must be true or false, not a list"),
        (list[int], "hush", "must be a list, not a text"),
        (tuple[int, ...], "hush", "must be a list, not a text"),
        (set[int], 7, "must be a list, not a number"),
        (dict[str, int], [], "must be an object, not a list"),
        (Box, "hush", "must be an object, not a text"),
        (Box, {}, "is missing or empty"),
        (Literal["a", "b", "c"], "hush", "must be 'a', 'b' or 'c'"),
        (Colour, "hush", "must be 'red' or 'blue'"),
        (Annotated[int, Field(ge=1)], 0, "must be 1 or more"),
        (Annotated[float, Field(gt=0)], 0, "must be more than 0"),
        (Annotated[float, Field(le=21600)], 99999, "must be 21600 or less"),
        (Annotated[float, Field(lt=0.5)], 1, "must be less than 0.5"),
        (Annotated[str, Field(min_length=2)], "x", "must have 2 characters at least"),
        (Annotated[str, Field(max_length=3)], "hush", "must have 3 characters at most"),
        (Annotated[list[int], Field(min_length=1)], [], "must have 1 entries at least"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "must have 1 entries at most"),
        (Annotated[str, Field(pattern="^x+$")], "hush", "does not have the form '^x+$'"),
        (Annotated[str, AfterValidator(_refuse)], "hush", "this is never right"),
        (AnyUrl, "hush", "must be a valid URL, relative URL without a base"),
    ],
)
def test_each_error_has_plain_words(type_: Any, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(type_).validate_python(value)
    assert [in_plain_words(error) for error in caught.value.errors()] == [said]
    assert [in_plain_words(error) for error in caught.value.errors(include_context=True)] == [said]
