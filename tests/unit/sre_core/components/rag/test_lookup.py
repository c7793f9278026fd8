"""DataSourceLookup finds the chunks that are nearest to a question."""

from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from sre_core.components.base import Flaw
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made

TEXTS = ("apples grow on trees", "pears grow on trees too", "fish swim")


@asynccontextmanager
async def fed():
    async with bench() as b:
        for number, text in enumerate(TEXTS):
            data = {"namespace": "docs", "id": f"t{number}", "name": f"Text {number}"}
            await b.run("DataSourceIndexer", data, inputs={"Source": text})
        yield b


async def ask(b, query, **data):
    found = await b.run("DataSourceLookup", {"namespace": "docs", **data}, inputs={"Query": query})
    return found["Results"]


async def test_the_nearest_comes_first():
    async with fed() as b:
        assert await ask(b, "apples grow") == ["apples grow on trees", "pears grow on trees too"]


async def test_no_more_than_top_k_are_given():
    async with fed() as b:
        assert await ask(b, "grow", topK="1") == ["apples grow on trees"]


async def test_what_is_too_far_is_left_out():
    async with fed() as b:
        assert await ask(b, "apples grow on trees", scoreThreshold="0.9") == ["apples grow on trees"]
        assert len(await ask(b, "apples", scoreThreshold=-1)) == 3
        assert await ask(b, "nothing of that") == []


async def test_results_tell_what_was_asked_for():
    async with fed() as b:
        (found,) = await ask(b, "fish swim", topK=1, includeMetadata=True, includeScore=True)
        assert found == {
            "content": "fish swim",
            "metadata": {"datasourceId": "default::docs::t2", "datasourceLabel": "Text 2", "chunkIndex": 0},
            "score": pytest.approx(1),
        }
        assert list((await ask(b, "fish", includeScore="true"))[0]) == ["content", "score"]
        assert list((await ask(b, "fish", includeMetadata=True))[0]) == ["content", "metadata"]


async def test_a_question_that_is_no_text_is_asked_as_json():
    async with fed() as b:
        assert await ask(b, {"about": "fish"}) == ["fish swim"]


@pytest.mark.parametrize("query", ["", "  ", None])
async def test_without_a_question_it_is_an_error(query):
    async with fed() as b:
        with pytest.raises(ComponentError, match="Query"):
            await ask(b, query)


async def test_a_namespace_without_data_sources_is_an_error():
    async with fed() as b:
        with pytest.raises(ComponentError, match="'empty' has no data sources"):
            await ask(b, "fish", namespace="empty")


@pytest.mark.parametrize("query", ['" OR datasource != "', "{{KEY(s)}}", "'; DROP", "fish\x00", "x" * 1_000_000])
async def test_odd_questions_are_questions(query):
    async with fed() as b:
        assert isinstance(await ask(b, query), list)


async def test_settings_of_old_files_that_mean_nothing_are_ignored():
    async with fed() as b:
        data = {"model": "gpt", "prompt": "x", "postprocess": True, "version": "v1", "scoreThreshold": "", "topK": ""}
        assert await ask(b, "fish", **data) == ["fish swim"]


@pytest.mark.parametrize("data", [{"topK": 0}, {"topK": "many"}, {"scoreThreshold": 2}])
def test_settings_have_limits(data):
    with pytest.raises(ValidationError):
        made("DataSourceLookup", data)


def test_without_a_namespace_the_node_is_wrong():
    assert list(made("DataSourceLookup").check()) == [Flaw("the setting 'namespace' is empty", "namespace")]
