from sre_core.components.stored_files import StoredFiles
from sre_core.testing.bench import bench


def test_only_what_was_stored_is_known() -> None:
    stored = StoredFiles()
    stored.add("smythfs://default.team/a1/_temp/X.txt")
    assert "smythfs://default.team/a1/_temp/X.txt" in stored
    assert "smythfs://default.team/a1/_temp" not in stored
    assert len(stored) == 1


async def test_every_run_has_its_own() -> None:
    async with bench() as b:
        b.context.stored.add("x")
        assert "x" not in b.host.context(b.context.request).stored
