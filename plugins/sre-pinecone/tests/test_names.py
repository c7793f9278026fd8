"""Names and ids in the characters that Pinecone allows, and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.connectors.vectors import Metric
from sre_core.errors import ConfigError
from sre_pinecone.names import (
    LONGEST_ID,
    collection_of,
    id_of,
    index_made_for,
    index_name,
    namespace_of,
    namespace_prefix,
    record_id,
)

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
PATHS = TEXTS.filter(bool)


@given(PATHS)
def test_a_namespace_leads_back_to_its_path_and_stands_in_a_url_as_it_is(path):
    namespace = namespace_of(path)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", namespace)
    assert collection_of(namespace) == path


@given(PATHS, PATHS)
def test_what_is_below_a_path_begins_with_its_namespace(path, rest):
    assert namespace_of(f"{path}/{rest}").startswith(namespace_prefix(path))


def test_a_plain_path_stays_readable():
    assert namespace_of("agent/a1/Notes of 2026") == "agent__a1__Notes_20of_202026"


@pytest.mark.parametrize("namespace", ["a_", "a_4", "a_zz", "a_ff", "a_61", "a b", "a/b", "_5", "é"])
def test_namespaces_of_others_are_left_alone(namespace):
    assert collection_of(namespace) is None


def test_a_path_that_gets_too_long_is_refused():
    assert len(namespace_of("agent/a1/" + "x" * 500)) <= 512
    with pytest.raises(ConfigError, match="512"):
        namespace_of("agent/a1/" + "ü" * 100)
    with pytest.raises(ConfigError):
        namespace_of("agent/a1/\ud800")


@given(TEXTS)
def test_an_id_leads_back_to_what_it_was_and_is_ascii_without_blanks(id_):
    encoded = record_id(id_)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " " not in encoded
    assert 1 <= len(encoded) <= LONGEST_ID
    assert id_of(encoded) == id_


def test_plain_ids_stay_as_they_are():
    for id_ in ("doc1#chunk-2", "a/b:c@d", "x" * 512):
        assert record_id(id_) == id_


@pytest.mark.parametrize("id_", ["x" * 513, "ü" * 100, "\ud800"])
def test_an_id_that_does_not_fit_is_refused(id_):
    with pytest.raises(ConfigError):
        record_id(id_)


@given(st.integers(1, 20_000), st.sampled_from(list(Metric)))
def test_the_name_of_an_index_tells_what_it_is_for(dimension, metric):
    name = index_name("sre", dimension, metric)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,43}[a-z0-9]", name)
    assert index_made_for("sre", name) == (dimension, metric)


@pytest.mark.parametrize("name", ["sre", "sre-cosine", "sre-0-cosine", "sre-3-dot", "sre2-3-cosine", "my-sre-3-cosine"])
def test_indexes_of_others_are_left_alone(name):
    assert index_made_for("sre", name) is None


def test_the_longest_name_of_an_index_is_legal():
    assert len(index_name("x" * 28, 20_000, Metric.DOT)) <= 45
