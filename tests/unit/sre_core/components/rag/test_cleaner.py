"""DataSourceCleaner forgets a data source."""

import pytest

from sre_core.components.base import Flaw
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


async def index(b, text, id_):
    return (await b.run("DataSourceIndexer", {"namespace": "docs", "id": id_}, inputs={"Source": text}))["Success"]


async def clean(b, id_, **inputs):
    return await b.run("DataSourceCleaner", {"namespaceId": "docs", "id": id_}, inputs=inputs)


async def ask(b, query):
    return (await b.run("DataSourceLookup", {"namespace": "docs"}, inputs={"Query": query}))["Results"]


async def test_one_data_source_goes_with_all_its_chunks_and_others_stay():
    async with bench() as b:
        await index(b, "apples grow here. " * 200, "x")
        await index(b, "apples fall", "xy")
        assert await clean(b, "x") == {"Success": True}
        assert await ask(b, "apples") == ["apples fall"]


async def test_the_whole_id_that_the_indexer_gave_is_an_id():
    async with bench() as b:
        success = await index(b, "apples", "x")
        await clean(b, "{{Success.id}}", Success=success)
        assert await ask(b, "apples") == []


@pytest.mark.parametrize("indexed", [True, False])
async def test_what_is_not_there_is_no_error(indexed):
    async with bench() as b:
        if indexed:
            await index(b, "apples", "x")
        assert await clean(b, "y") == {"Success": True}


@pytest.mark.parametrize("id_", ["", "*", "default::other::x", "a,b", "{{Missing}}"])
async def test_an_id_that_could_mean_more_is_refused(id_):
    async with bench() as b:
        await index(b, "apples", "x")
        with pytest.raises(ComponentError, match="illegal id"):
            await clean(b, "{{Id}}", Id=id_)
        assert await ask(b, "apples") == ["apples"]


def test_without_namespace_or_id_the_node_is_wrong():
    assert list(made("DataSourceCleaner").check()) == [
        Flaw("the setting 'namespaceId' is empty", "namespaceId"),
        Flaw("the setting 'id', of the data source, is empty", "id"),
    ]
