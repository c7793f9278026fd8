"""Pinecone's answers, as its documentation shows them."""

import json
from pathlib import Path
from typing import Any

import pytest

from sre_core.connectors.vectors import Metric
from sre_core.errors import ConnectorError, UnauthenticatedError
from sre_pinecone import responses
from sre_pinecone.errors import of_status

FIXTURES = Path(__file__).parent / "fixtures"


def reply(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())["reply"]


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*.json")), ids=lambda file: file.stem)
def test_a_fixture_names_the_page_that_it_follows(file):
    assert json.loads(file.read_text())["page"].startswith("https://docs.pinecone.io/")


def test_squared_distances_become_negative_distances():
    """In the example, the vectors differ by 0.1 in each of eight places: the square of the distance is 0.08."""
    found = {match.id: match.score for match in responses.matches(reply("query"), Metric.L2)}
    assert found == {
        "vec3": 0,
        "vec2": pytest.approx(-(0.08**0.5), rel=1e-6),
        "vec4": pytest.approx(-(0.08**0.5), rel=1e-6),
    }


def test_other_scores_stay_and_metadata_of_others_is_left_out():
    found = responses.matches(reply("query"), Metric.COSINE)
    assert [match.score for match in found] == [0, 0.0800000429, 0.0799999237]
    assert [dict(match.metadata) for match in found] == [{}, {}, {}]


def test_statistics_tell_what_an_index_is_for():
    index = responses.stats(reply("describe_index_stats"), "https://host")
    assert (index.host, index.dimension, index.metric, index.ready) == ("https://host", 1024, Metric.COSINE, True)


def test_counts_of_namespaces_may_be_text():
    assert responses.namespaces(reply("list_namespaces")) == [("example-namespace", 20000), ("agent__a1__notes", 10500)]
    assert responses.namespace(reply("describe_namespace")) == ("example-namespace", 20000)


def test_pages_tell_whether_another_follows():
    assert responses.next_page(reply("list")) == "c2Vjb25kY2FsbA=="
    assert responses.next_page(reply("fetch")) is None
    assert responses.next_page({"pagination": None}) is None
    assert responses.next_page({"pagination": {"next": ""}}) is None


def test_records_are_read_from_listings_and_from_fetches():
    assert [record.id for record in responses.records(reply("list"))] == ["doc1#chunk1", "doc1#chunk2", "doc1#chunk3"]
    assert {record.id: dict(record.metadata) for record in responses.records(reply("fetch"))} == {
        "id-1": {},
        "id-2": {},  # its metadata is in the form of others
    }
    assert len(responses.records(reply("fetch_by_metadata"))) == 2


def test_vectors_are_read_from_fetches():
    one, two = responses.vectors(reply("fetch"))
    assert (one.id, one.vector, one.text) == ("id-1", pytest.approx([0.568879, 0.632687092]), "")
    assert two.vector == pytest.approx([0.00891787093, 0.581895])
    for garbage in ({}, {"values": None}, {"values": ["x"]}, {"values": [1], "metadata": "x"}, None):
        with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
            responses.vectors({"vectors": {"a": garbage}})


def test_an_index_of_ours_tells_by_its_name_what_it_is_for():
    index = responses.index(reply("describe_index"), "sre")
    assert index is not None
    assert (index.dimension, index.metric, index.ready) == (1536, Metric.COSINE, True)
    assert index.host == "sre-1536-cosine-c01b5b5.svc.us-east1-gcp.pinecone.io"
    assert responses.index(reply("describe_index"), "other") is None


@pytest.mark.parametrize("name", ["error_control_plane", "error_data_plane"])
def test_both_planes_say_what_was_wrong(name):
    body = reply(name)
    said = body["error"]["message"] if "error" in body else body["message"]
    error = of_status(400, {}, json.dumps(body).encode(), "Pinecone's query at host", "secret")
    assert type(error) is ConnectorError
    assert said in str(error)


def test_a_refusal_shows_no_key_even_if_it_is_quoted():
    body = json.dumps({"message": "the key pcsk_secret_1 may not"}).encode()
    for status in (400, 401, 403, 500):
        error = of_status(status, {}, body, "Pinecone's query at host", "pcsk_secret_1")
        assert "pcsk_secret_1" not in f"{error} {error.hint}"
    refused = of_status(403, {}, body, "Pinecone's new index at host", "pcsk_secret_1")
    assert isinstance(refused, UnauthenticatedError)
    assert "quota" in str(refused.hint)
