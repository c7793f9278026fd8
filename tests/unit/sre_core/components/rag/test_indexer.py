"""DataSourceIndexer makes texts and files ones that can be asked about."""

import json

import anyio
import pytest
from pydantic import ValidationError

from sre_core.access.candidate import Candidate
from sre_core.components.files import store_file
from sre_core.errors import AccessDeniedError, ComponentError, ConfigError
from sre_core.messages import File
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made
from tests.unit.sre_core.documents.samples import pdf

TEAM = Candidate.team("default")


async def index(b, source, namespace="docs", inputs=None, **data):
    given = {"Source": source, **(inputs or {})}
    return (await b.run("DataSourceIndexer", {"namespace": namespace, **data}, inputs=given))["Success"]


async def ask(b, query, namespace="docs", **data):
    found = await b.run("DataSourceLookup", {"namespace": namespace, **data}, inputs={"Query": query})
    return found["Results"]


async def records(b, namespace="docs"):
    """What is kept of a namespace, in the home of the team."""
    vectors = b.context.vectors.of(TEAM)
    return [record async for record in vectors.scan(f"data-sources/{namespace}")]


async def test_a_text_that_was_indexed_is_found():
    async with bench() as b:
        success = await index(b, "Bananas are yellow fruit.", id="fruit", name="About fruit")
        assert success == {"result": True, "id": "default::docs::fruit", "chunks": 1}
        assert await ask(b, "which fruit is yellow") == ["Bananas are yellow fruit."]


async def test_a_long_text_is_cut_as_its_settings_say():
    text = "Alpha is first. Beta is second. Gamma is third. Delta is fourth."
    async with bench() as b:
        success = await index(b, text, id="x", chunkSize="40", chunkOverlap="0")
        kept = sorted(await records(b), key=lambda record: record.metadata["chunk"])
    assert success["chunks"] == 2
    assert [record.text for record in kept] == ["Alpha is first. Beta is second.", "Gamma is third. Delta is fourth."]
    assert [record.metadata["last"] for record in kept] == [False, True]


async def test_without_an_id_each_indexing_is_a_new_data_source():
    async with bench() as b:
        ids = {(await index(b, "same text"))["id"] for _ in range(3)}
        assert len(ids) == 3
        assert await ask(b, "same text") == ["same text"] * 3


async def test_an_id_that_is_indexed_again_is_replaced():
    async with bench() as b:
        await index(b, "old words here. " * 200, id="x")
        await index(b, "new words", id="x")
        assert await ask(b, "words", topK=50) == ["new words"]


async def test_other_data_sources_stay_when_one_is_replaced():
    async with bench() as b:
        await index(b, "apples grow", id="x")
        await index(b, "apples fall", id="x2")
        await index(b, "apples rot", id="x")
        assert sorted(await ask(b, "apples")) == ["apples fall", "apples rot"]


async def test_version_v2_refuses_an_id_that_is_there_and_keeps_it():
    async with bench() as b:
        await index(b, "old", id="x", version="v2")
        with pytest.raises(ComponentError, match="already"):
            await index(b, "new old", id="x", version="v2")
        assert await ask(b, "old") == ["old"]
        await index(b, "other", id="y", version="v2")


async def test_placeholders_are_filled_in_all_settings():
    async with bench(variables={"topic": "pets"}) as b:
        data = {"id": "{{Id}}-1", "name": "On {{Id}}", "metadata": '{"by": "{{Author}}", "year": {{Year}}}'}
        inputs = {"Id": "cats", "Author": 'Ann "A"', "Year": 1999}
        success = await index(b, "cats purr", "{{topic}}", inputs, **data)
        assert success["id"] == "default::pets::cats-1"
        (found,) = await ask(b, "cats", "pets", includeMetadata=True)
    assert found["metadata"] == {
        "by": 'Ann "A"',
        "year": 1999,
        "datasourceId": "default::pets::cats-1",
        "datasourceLabel": "On cats",
        "chunkIndex": 0,
    }


async def test_what_comes_in_is_never_filled_itself():
    async with bench(secrets={"s": "hidden"}, variables={"v": "hidden"}) as b:
        inputs = {"M": "{{KEY(s)}} {{v}}"}
        await index(b, "text {{KEY(s)}} {{v}}", "docs", inputs, name="{{M}}", metadata='{"m": "{{M}}"}')
        (found,) = await ask(b, "text", includeMetadata=True)
    assert "hidden" not in json.dumps(found)
    assert found["content"] == "text {{KEY(s)}} {{v}}"
    assert found["metadata"]["m"] == "{{KEY(s)}} {{v}}"


@pytest.mark.parametrize(
    ("metadata", "value", "expected"),
    [
        ('{"a": "{{V}}"}', 'x", "datasourceId": "other', {"a": 'x", "datasourceId": "other'}),
        ('{"a": {{V}}}', '1, "admin": true', {"a": '1, "admin": true'}),
        ("{{V}}", {"datasourceId": "other", "b": [1]}, {"b": [1]}),
        ("{{V}}", "just text", {"user_metadata": "just text"}),
        ("by {{V}}", "Ann", {"user_metadata": "by Ann"}),
        ({"a": "{{V}}", "b": 2}, {"c": 3}, {"a": {"c": 3}, "b": 2}),
        ("", "x", {}),
    ],
)
async def test_metadata_keeps_its_shape_whatever_comes_in(metadata, value, expected):
    async with bench() as b:
        success = await index(b, "words", "docs", {"V": value}, metadata=metadata, name="L")
        (found,) = await ask(b, "words", includeMetadata=True)
    ours = {"datasourceId": success["id"], "datasourceLabel": "L", "chunkIndex": 0}
    assert found["metadata"] == {**expected, **ours}


@pytest.mark.parametrize(
    "id_", ["a b", "a/b", "../x", "a::b", "other::docs::x", "ä", "x" * 129, "a\n", "{{None}}", "'"]
)
async def test_an_illegal_id_is_refused_also_when_it_comes_in(id_):
    async with bench() as b:
        with pytest.raises(ComponentError, match="illegal id"):
            await index(b, "text", "docs", {"Id": f"{id_}?" if id_.endswith("\n") else id_}, id="{{Id}}")


async def test_a_whole_id_of_its_own_namespace_is_an_id():
    async with bench() as b:
        first = await index(b, "one", id="x")
        second = await index(b, "two", "docs", {"Id": first["id"]}, id="{{Id}}")
        assert second["id"] == first["id"]
        assert await ask(b, "two one") == ["two"]


@pytest.mark.parametrize("namespace", ["../default", "a/b", "..", "a\\b", "\x00", "{{N}}", "x" * 81, " ", "\u202e"])
async def test_an_illegal_namespace_is_refused_also_when_it_comes_in(namespace):
    async with bench() as b:
        with pytest.raises((ComponentError, ConfigError)):
            await index(b, "text", "{{Where}}", {"Where": namespace})
        assert await b.context.vectors.of(TEAM).collections() == []


async def test_namespaces_keep_what_stands_before_their_first_underscore():
    async with bench() as b:
        await index(b, "one thing", "a_docs", id="x")
        await index(b, "other thing", "b_docs", id="x")
        assert await ask(b, "thing", "a_docs") == ["one thing"]
        assert await ask(b, "thing", "b_docs") == ["other thing"]


async def test_namespaces_differ_neither_by_case_nor_by_blanks():
    async with bench() as b:
        await index(b, "one thing", " My  Docs ", id="x")
        assert await ask(b, "thing", "my_docs") == ["one thing"]


async def test_what_is_indexed_belongs_to_the_team():
    async with bench() as b:
        await index(b, "ours", id="x")
        b.host.runtime.teams.join(Candidate.agent("a2"), "default")
        mate = b.host.runtime.vectors(Candidate.agent("a2")).of(TEAM)
        assert [info.count for info in await mate.collections()] == [1]
        stranger = b.host.runtime.vectors(Candidate.agent("a3")).of(TEAM)
        with pytest.raises(AccessDeniedError):
            await stranger.collections()


async def test_an_agent_that_is_not_in_its_team_indexes_nothing():
    async with bench() as b:
        b.host.runtime.teams.leave(Candidate.agent("a1"), "default")
        with pytest.raises(AccessDeniedError):
            await index(b, "text", id="x")


async def test_a_pdf_is_read_and_its_pages_are_named():
    async with bench() as b:
        file = File(
            name="r.pdf", media_type="application/pdf", data=pdf("Apples are red", "Pears are green", title="R")
        )
        await index(b, await store_file(file, b.context), id="x", chunkSize=20, chunkOverlap=0)
        found = await ask(b, "green pears", includeMetadata="true")
    assert found[0]["content"] == "Pears are green"
    assert (found[0]["metadata"]["section"], found[0]["metadata"]["datasourceLabel"]) == ("page 2", "R")


@pytest.mark.parametrize("source", ["data:text/html,<p>Apples", b"Apples", {"fruit": "Apples"}, ["Apples"]])
async def test_addresses_bytes_and_values_are_read(source):
    async with bench() as b:
        await index(b, source, id="x")
        (found,) = await ask(b, "apples")
    assert "Apples" in found


async def test_an_address_opens_nothing_that_its_sender_may_not_read():
    async with bench(caller=Candidate.user("eve")) as b:
        await b.context.storage.of(TEAM).write("secret.txt", b"hidden words")
        with pytest.raises(AccessDeniedError):
            await index(b, "smythfs://default.team/secret.txt", id="x")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1"])
async def test_an_address_of_this_machine_or_network_is_refused(host):
    async with bench() as b:
        with pytest.raises(ComponentError, match="public"):
            await index(b, f"http://{host}/secret", id="x")


@pytest.mark.parametrize("source", ["", "  \n", "\0", None])
async def test_without_a_source_it_is_an_error(source):
    async with bench() as b:
        with pytest.raises(ComponentError, match="Source"):
            await index(b, source, id="x")


async def test_a_file_that_cannot_be_read_is_an_error_and_changes_nothing():
    async with bench() as b:
        await index(b, "old", id="x")
        with pytest.raises(ConfigError, match="cannot be read as PDF"):
            await index(b, File(name="x.pdf", media_type="application/pdf", data=b"%PDF-"), id="x")
        assert await ask(b, "old") == ["old"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "the setting 'namespace' is empty"),
        ({"namespace": "x", "chunkSize": 100, "chunkOverlap": 60}, "more than half"),
    ],
)
def test_what_is_wrong_with_settings_is_told_beforehand(data, problem):
    assert any(problem in one.message for one in made("DataSourceIndexer", data).check())


@pytest.mark.parametrize("data", [{"chunkSize": 1}, {"chunkOverlap": -1}, {"version": "v3"}, {"namespace": "x" * 81}])
def test_settings_have_limits(data):
    with pytest.raises(ValidationError):
        made("DataSourceIndexer", data)


async def test_what_is_no_whole_character_is_replaced():
    async with bench() as b:
        await index(b, "a half \ud83d and a \0 of text", "docs", {"N": "\udc00"}, name="{{N}}", id="x")
        (found,) = await ask(b, "half \ud83d text", includeMetadata=True)
        assert found["content"] == "a half ? and a  of text"
        assert found["metadata"]["datasourceLabel"] == "?"
        with pytest.raises(ComponentError, match="no Unicode"):
            await index(b, "text", "docs", {"N": "\udc00"}, metadata='{"n": "{{N}}"}')


async def test_metadata_that_is_too_long_is_refused():
    async with bench() as b:
        with pytest.raises(ComponentError, match="metadata"):
            await index(b, "text", "docs", {"V": "x" * 20_000}, metadata="{{V}}")


async def test_of_many_at_once_one_stays_and_stays_whole():
    texts = [f"version {n} " * (200 + 100 * n) for n in range(6)]
    async with bench() as b:
        async with anyio.create_task_group() as group:
            for text in texts:
                group.start_soon(lambda text=text: index(b, text, id="x"))
        kept = sorted(await records(b), key=lambda record: record.metadata["chunk"])
    assert len({record.metadata["generation"] for record in kept}) == 1
    assert [record.metadata["chunk"] for record in kept] == list(range(len(kept)))
    assert kept[-1].metadata["last"]


async def test_many_namespaces_and_ids_at_once_do_not_mix():
    async with bench() as b:
        async with anyio.create_task_group() as group:
            for n in range(20):
                group.start_soon(lambda n=n: index(b, f"number{n}", f"space{n % 2}", id=f"x{n}"))
        assert len(await records(b, "space0")) == len(await records(b, "space1")) == 10


async def test_ten_megabytes_are_indexed_and_searched():
    line = "The quick brown fox jumps over the lazy dog.\n"
    text = line * 120_000 + "zebra " * 2_000 + line * 120_000
    assert len(text) > 10_000_000
    async with bench() as b:
        success = await index(b, text, id="big", chunkSize=8000, chunkOverlap=0)
        assert success["chunks"] > 1250
        (found,) = await ask(b, "zebra", topK=1)
    assert found.count("zebra") > 1000
