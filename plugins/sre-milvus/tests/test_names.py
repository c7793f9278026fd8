"""Paths as names that Milvus allows, and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.errors import ConfigError
from sre_milvus.names import LONGEST_NAME, contract_name, is_hashed, milvus_name, shared_name

PATHS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=120).filter(
    lambda path: not path.startswith("/")
)


@given(PATHS)
def test_a_name_is_legal_in_milvus_and_in_file_systems_that_ignore_case(path):
    name = milvus_name("sre", path)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert len(name) <= LONGEST_NAME


@given(PATHS)
def test_a_name_leads_back_to_its_path(path):
    name = milvus_name("sre", path)
    assert contract_name("sre", name) == (None if is_hashed("sre", name) else path)


@given(PATHS, PATHS)
def test_two_paths_have_two_names(one, two):
    assert (milvus_name("sre", one) == milvus_name("sre", two)) is (one == two)


def test_a_plain_path_stays_readable():
    assert milvus_name("sre", "agent/a1/notes") == "sre_agent__a1__notes"
    assert milvus_name("sre", "agent/A1/über_all") == "sre_agent___411___c3_bcber_5fall"


def test_a_long_path_is_hashed():
    name = milvus_name("sre", "agent/a1/" + "x" * 300)
    assert is_hashed("sre", name)
    assert name != milvus_name("sre", "agent/a1/" + "x" * 301)


@pytest.mark.parametrize(
    "name",
    [
        "other_agent__a1",
        "sre",
        "sre2_agent__a1",
        "sre_agent__a1_",
        "sre_A",
        "sre_x_4",
        "sre_x_zz",
        "sre_x_ff",
        "sre_x_61",
    ],
)
def test_names_of_others_are_left_alone(name):
    assert contract_name("sre", name) is None


@given(PATHS)
def test_what_is_shared_has_the_name_of_no_collection(path):
    shared = shared_name("sre", "cosine_384")
    assert milvus_name("sre", path) != shared
    assert contract_name("sre", shared) is None


def test_text_that_is_no_unicode_is_refused():
    with pytest.raises(ConfigError):
        milvus_name("sre", "agent/a1/\ud800")
