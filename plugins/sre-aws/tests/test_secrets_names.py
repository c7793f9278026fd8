"""Names of secrets in AWS."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_aws.secrets.names import LONGEST, Names
from sre_core.errors import ConfigError

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
NAMES = Names("sre")


@given(_NAMES)
def test_a_name_comes_back_and_has_only_what_aws_takes(name: str) -> None:
    full = NAMES.theirs(name)
    assert re.fullmatch(r"sre/[A-Za-z0-9/_+=.@-]+", full)
    assert NAMES.ours(full) == name


@given(st.lists(_NAMES, min_size=2, max_size=4, unique=True))
def test_different_names_are_different_in_aws(names: list[str]) -> None:
    assert len({NAMES.theirs(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("openai", "sre/openai"),
        ("team/ops/token", "sre/team/ops/token"),
        ("a b", "sre/a=20b"),
        ("a=b", "sre/a=3db"),
        ("\u00e9", "sre/=c3=a9"),
    ],
)
def test_plain_names_stay_and_others_are_escaped(name: str, full: str) -> None:
    assert NAMES.theirs(name) == full


@pytest.mark.parametrize("full", ["other/openai", "sreopenai", "sre/", "sre/a=b", "sre/=2F", "sre/=61", "sre/=ff"])
def test_names_of_others_are_none_of_ours(full: str) -> None:
    assert NAMES.ours(full) is None


def test_without_a_prefix_all_names_are_ours() -> None:
    assert Names("").theirs("openai") == "openai"
    assert Names("").ours("prod/db") == "prod/db"


@pytest.mark.parametrize("name", ["", "x" * LONGEST, "\u00e9" * 100, "\ud800"])
def test_what_cannot_be_a_name_in_aws_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        NAMES.theirs(name)
