"""The `pinecone` package against the same server: that it is content with it, and finds what we have written."""

import json

import pytest
from pinecone import AsyncPinecone
from pinecone.async_client.async_index import AsyncIndex

from sre_core.connectors.vectors import Metric, VectorRecord
from sre_pinecone import PineconeSettings, PineconeVectors
from sre_pinecone.client import API_VERSION
from sre_pinecone.names import namespace_of, record_id
from sre_pinecone.requests import create_index

from .fake_pinecone import KEY, FakePinecone  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

NOTES = "agent/a/notes"


@pytest.fixture
async def index(fake: FakePinecone):
    """Their client of an index that our connector has made, with a record in it."""
    connector = PineconeVectors(PineconeSettings(key=KEY, url=fake.url))
    await connector.start()
    await connector.create(NOTES, 2)
    record = VectorRecord(id="ü 1", vector=[1, 0], metadata={"lang": "en", "n": 1}, text="hello")
    await connector.upsert(NOTES, [record])
    await connector.stop()
    async with AsyncIndex(host=f"http://{fake.indexes['sre-2-cosine'].host}", api_key=KEY) as made:
        yield made


def test_it_speaks_the_same_version_of_the_api():
    from pinecone._internal.constants import CONTROL_PLANE_API_VERSION, DATA_PLANE_API_VERSION

    assert {CONTROL_PLANE_API_VERSION, DATA_PLANE_API_VERSION} == {API_VERSION}


async def test_it_makes_and_lists_indexes_as_we_do(fake):
    """In the form that it translates the dimension and metric of an index for vectors into."""
    from pinecone._internal.legacy_index_translation import legacy_vector_schema

    async with AsyncPinecone(api_key=KEY, host=fake.url) as pinecone:
        await pinecone.indexes.create(
            name="sre-3-euclidean",
            schema=legacy_vector_schema(dimension=3, metric="euclidean", vector_type=None),
            deployment={"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            timeout=-1,
        )
        assert [model.name async for model in pinecone.indexes.list()] == ["sre-3-euclidean"]
        assert (await pinecone.indexes.describe("sre-3-euclidean")).status.ready
    assert (fake.indexes["sre-3-euclidean"].dimension, fake.indexes["sre-3-euclidean"].metric) == (3, "euclidean")
    theirs = {
        "name": "sre-3-euclidean",
        "schema": legacy_vector_schema(dimension=3, metric="euclidean", vector_type=None),
        "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
    }
    assert json.loads(create_index("sre-3-euclidean", 3, Metric.L2, cloud="aws", region="us-east-1")) == theirs


async def test_it_finds_what_we_have_written(index):
    namespace = namespace_of(NOTES)
    found = await index.query(top_k=5, vector=[1.0, 0.0], namespace=namespace, include_metadata=True)
    (match,) = found.matches
    assert (match.id, match.score) == (record_id("ü 1"), 1)
    assert match.metadata == {"s_lang": "en", "n_n": 1.0, "int": ["n"], "text": "hello"}
    assert found.response_info.lsn_reconciled is not None
    fetched = await index.fetch(ids=[record_id("ü 1")], namespace=namespace)
    assert list(fetched.vectors) == [record_id("ü 1")]
    by_metadata = await index.fetch_by_metadata(filter={"s_lang": {"$eq": "en"}}, namespace=namespace)
    assert list(by_metadata.vectors) == [record_id("ü 1")]
    assert [item.id for page in [page async for page in index.list(namespace=namespace)] for item in page] == [
        record_id("ü 1")
    ]


async def test_it_is_content_with_the_namespaces_and_statistics(index):
    described = await index.describe_namespace(name=namespace_of(NOTES))
    assert described.record_count == 1
    assert [space.name for page in [p async for p in index.list_namespaces()] for space in page.namespaces] == [
        namespace_of(NOTES)
    ]
    stats = await index.describe_index_stats()
    assert (stats.dimension, stats.metric, stats.total_vector_count) == (2, "cosine", 1)
    created = await index.create_namespace(name="another")
    assert created.name == "another"
    await index.delete_namespace(name="another")


async def test_what_it_writes_is_found_by_us(fake, index):
    await index.upsert(vectors=[{"id": "theirs", "values": [1.0, 0.1]}], namespace=namespace_of(NOTES))
    await index.delete(ids=[record_id("ü 1")], namespace=namespace_of(NOTES))
    connector = PineconeVectors(PineconeSettings(key=KEY, url=fake.url))
    await connector.start()
    (match,) = await connector.query(NOTES, [1, 0], k=5)
    assert (match.id, match.metadata, match.text) == ("theirs", {}, "")
    await connector.stop()
