"""The tree of errors is what its drawing says, and every error survives pickling."""

import copy
import pickle
import re
from typing import NamedTuple

import pytest

from sre_core import errors
from sre_core.errors import SREError

LINE = re.compile(
    r"^(?P<branch>[\u2502\u251c\u2514\u2500 ]*)(?P<name>\w+Error) +(?P<code>[\w.]+)(?: +also (?P<also>\w+))?$"
)
KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SREError)),
    key=lambda kind: kind.__name__,
)


class Drawn(NamedTuple):
    name: str
    code: str
    parent: str
    also: str | None


def drawing() -> set[Drawn]:
    above: list[str] = []
    found = set()
    for line in (errors.__doc__ or "").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        depth = len(match["branch"]) // 4
        above[depth:] = [match["name"]]
        found.add(Drawn(match["name"], match["code"], above[depth - 1] if depth else "Exception", match["also"]))
    return found


def described(kind: type[SREError]) -> Drawn:
    parent, *others = kind.__bases__
    return Drawn(kind.__name__, kind.code, parent.__name__, others[0].__name__ if others else None)


def test_the_drawing_shows_the_classes():
    assert drawing() == {described(kind) for kind in KINDS}


def test_the_module_lists_every_error():
    assert errors.__all__ == sorted(kind.__name__ for kind in KINDS)


def test_codes_are_unique_and_begin_with_the_code_above():
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        parent = kind.__bases__[0]
        if issubclass(parent, SREError) and parent is not SREError:
            assert kind.code.startswith(f"{parent.code}.")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickle_and_copy(kind):
    error = kind("message of 'x'", hint="the next step")
    error.extra = ("kept", 1)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert (str(again), again.message, again.hint, again.args) == (
            "message of 'x'",
            "message of 'x'",
            "the next step",
            ("message of 'x'",),
        )
        assert again.__dict__ == error.__dict__


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_can_be_caught_by_its_builtin_parent(kind):
    with pytest.raises(kind.__bases__[-1]):
        raise kind("message")
