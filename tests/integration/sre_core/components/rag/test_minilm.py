"""Data sources with the real MiniLM on this machine, found without any configuration."""

import pytest

from sre_core.plugins import Plugins
from sre_core.testing.bench import bench

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TEXTS = {
    "cats": "Felines sleep for most of the day and hunt at dusk.",
    "money": "Interest rates were raised by the central bank in spring.",
    "bread": "Knead the dough, let it rise for an hour, then bake it in a hot oven.",
}
QUESTIONS = {
    "cats": "When are kittens active?",
    "money": "What happened to the cost of borrowing?",
    "bread": "How do I make a loaf?",
}


async def test_questions_find_texts_that_share_no_word_with_them():
    # The agent's own model is another one: the local model of embeddings is taken all the same.
    async with bench(plugins=Plugins.load(only=["smollm"])) as b:
        for id_, text in TEXTS.items():
            await b.run("DataSourceIndexer", {"namespace": "docs", "id": id_}, inputs={"Source": text})
        for id_, question in QUESTIONS.items():
            data = {"namespace": "docs", "topK": 1, "includeMetadata": True, "includeScore": True}
            (found,) = (await b.run("DataSourceLookup", data, inputs={"Query": question}))["Results"]
            assert found["content"] == TEXTS[id_]
            assert found["metadata"]["datasourceId"] == f"default::docs::{id_}"
            assert 0.1 < found["score"] < 1
        # Named in a node, it is the same model.
        data = {"namespace": "docs", "topK": 1, "embeddingModel": "smollm/minilm"}
        assert (await b.run("DataSourceLookup", data, inputs={"Query": "a loaf"}))["Results"] == [TEXTS["bread"]]


async def test_a_text_of_many_chunks_is_found_by_what_one_of_them_says():
    filler = "The committee met again and agreed on nothing of importance. " * 40
    text = filler + "The treasure lies under the old oak by the river. " + filler
    async with bench(plugins=Plugins.load(only=["smollm"])) as b:
        indexed = await b.run("DataSourceIndexer", {"namespace": "docs", "chunkSize": 400}, inputs={"Source": text})
        assert indexed["Success"]["chunks"] > 10
        data = {"namespace": "docs", "topK": 1}
        (found,) = (await b.run("DataSourceLookup", data, inputs={"Query": "Where is the gold hidden?"}))["Results"]
    assert "treasure" in found
