"""What importing pymilvus, and starting, does to the environment of the process, and the other way round."""

import pytest

from .programs import python  # noqa: TID252 -- the folder of tests is no package

MEMORY = "MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES"


def test_the_project_file_with_variables_is_not_read(tmp_path):
    """pymilvus would take `.env` into the environment, where agents and other plugins would find it."""
    (tmp_path / ".env").write_text("SURPRISE=1\n")
    program = f"""
        import asyncio, os
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(tmp_path / "milvus.db")!r}))
            await connector.start()
            await connector.stop()
            print([name for name in ("SURPRISE", "PYTHON_DOTENV_DISABLED") if name in os.environ])

        asyncio.run(main())
    """
    assert python(program, folder=tmp_path).strip() == "[]"


def test_several_that_start_at_once_leave_the_environment_as_it_was(tmp_path):
    program = f"""
        import asyncio, os
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connectors = [MilvusVectors(MilvusSettings(uri={str(tmp_path)!r} + f"/{{n}}.db")) for n in range(4)]
            await asyncio.gather(*(connector.start() for connector in connectors))
            await asyncio.gather(*(connector.stop() for connector in connectors))

        before = dict(os.environ)
        asyncio.run(main())
        print(dict(os.environ) == before)
    """
    assert python(program).strip() == "True"


@pytest.mark.parametrize(("variables", "segments"), [({}, True), ({MEMORY: str(128 << 20)}, False)])
def test_what_was_written_moves_to_the_disk_before_searches_get_slow(tmp_path, variables, segments):
    """The engine copies what it has in memory for every search. The user's own limit is left."""
    program = f"""
        import asyncio
        from pathlib import Path
        from sre_core.connectors.vectors import VectorRecord
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(tmp_path / "milvus.db")!r}))
            await connector.start()
            await connector.create("notes", 1000)
            for part in range(10):
                records = [VectorRecord(id=f"{{part}}-{{n}}", vector=[1.0] * 1000) for n in range(250)]
                await connector.upsert("notes", records)
            print(any(Path({str(tmp_path)!r}).rglob("*.parquet")))
            await connector.stop()

        asyncio.run(main())
    """
    assert python(program, variables=variables).strip() == str(segments)


@pytest.mark.parametrize("variable", ["MILVUS_CONN_TIMEOUT", "MILVUS_LITE_WAL_SIZE_LIMIT_BYTES"])
def test_a_variable_that_stops_pymilvus_from_being_imported_is_told_and_not_shown(tmp_path, variable):
    program = f"""
        import asyncio, traceback
        from sre_core.errors import ConfigError
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(tmp_path / "milvus.db")!r}))
            try:
                await connector.start()
            except ConfigError as error:
                print(traceback.format_exc(), error.hint)

        asyncio.run(main())
    """
    said = python(program, variables={variable: "the-secret-8264"})
    assert "pymilvus cannot be imported" in said
    assert "MILVUS_" in said
    assert "the-secret-8264" not in said


def test_importing_the_plugin_loads_nothing_heavy():
    program = """
        import sys
        import sre_milvus
        print([name for name in ("pymilvus", "grpc", "milvus_lite", "numpy") if name in sys.modules])
    """
    assert python(program).strip() == "[]"
