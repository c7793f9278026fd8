"""Metadata in the form in which Milvus keeps it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.errors import ConfigError
from sre_milvus.metadata import LONGEST_METADATA, key_of, pack, unpack

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
VALUES = TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(TEXTS, VALUES, max_size=8))
def test_metadata_comes_back_as_it_was_with_the_types_of_its_values(metadata):
    found = unpack(pack(metadata, "r"))
    assert found == metadata
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in metadata.items()
    }


@given(TEXTS)
def test_a_key_has_no_character_that_means_anything_in_a_filter(field):
    assert key_of("s", field).replace("%", "").replace("_", "").isalnum()
    assert key_of("s", field).isascii()


def test_values_of_different_kinds_are_kept_under_different_keys():
    packed = [json.loads(pack({"x": value}, "r")) for value in ("1", 1, True)]
    assert packed == [{"s_x": "1"}, {"n_x": 1}, {"b_x": 1}]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, None, [1], b"x", "\ud800"])
def test_what_milvus_cannot_keep_is_refused_by_name(value):
    with pytest.raises(ConfigError, match="'r1'"):
        pack({"field": value}, "r1")


def test_too_much_metadata_is_refused():
    assert len(pack({"x": "é" * ((LONGEST_METADATA - 10) // 2)}, "r1")) <= LONGEST_METADATA
    with pytest.raises(ConfigError, match=str(LONGEST_METADATA)):
        pack({"x": "é" * (LONGEST_METADATA // 2)}, "r1")


def test_what_others_have_put_there_is_left_out():
    assert unpack(b'{"color": "red", "n_year": 2020, "x": null}') == {"year": 2020}
    assert unpack(b"") == {}
