"""Note does nothing."""

from sre_core.components.flow.note import Note
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


async def test_a_note_gives_nothing_whatever_it_says():
    async with bench() as b:
        assert await b.run("Note", {"text": "{{KEY(x)}}", "color": "red"}, inputs={"Input": 1}) == {}


async def test_it_is_also_what_files_call_a_component_of_no_type():
    async with bench() as b:
        assert b.host.component("Component") is Note


def test_there_is_nothing_to_tell():
    assert list(made("Note").check()) == []
