from typing import Any

import pytest

from sre_core.access.candidate import Candidate
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.components.files import read_file
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.mark.parametrize(
    ("data", "ending", "kept"),
    [
        ("hello", ".txt", b"hello"),
        (PNG, ".png", PNG),
        ("data:text/html,<b>", ".html", b"<b>"),
        ({"a": [1]}, ".json", b'{"a":[1]}'),
        ({"url": "https://x.com", "title": "hit"}, ".json", b'{"url":"https://x.com","title":"hit"}'),
        ([1, "x"], ".json", b'[1,"x"]'),
        (5, ".txt", b"5"),
        (False, ".txt", b"false"),
    ],
)
async def test_data_is_kept_as_a_file_of_its_kind(data: Any, ending: str, kept: bytes) -> None:
    async with bench() as b:
        url = (await b.run("FileStore", inputs={"Data": data}))["Url"]
        assert url.startswith("smythfs://a1.agent/components_data/")
        assert url.endswith(ending)
        assert (await read_file(url, b.context)).data == kept


class LinkingStorage(MemoryStorage):
    """One that makes links."""

    name = "linking"
    capabilities = frozenset({"url"})

    async def url(self, key, seconds):
        return f"https://files.example/{key}?seconds={seconds}"


class LinkingPlugin:
    """A plugin that brings it."""

    @hookimpl
    def register_connectors(self):
        return [LinkingStorage]


@pytest.mark.parametrize(("ttl", "seconds"), [(60, 60), (90 * 86_400, 7 * 86_400)])
async def test_a_storage_that_makes_links_makes_one_as_long_as_it_can(ttl: int, seconds: int) -> None:
    plugins = Plugins.load(only=[], extra={"linking": LinkingPlugin()})
    config = {"connectors": {"storage": {"default": {"use": "linking"}}}}
    async with bench(plugins=plugins, config=config) as b:
        found = await b.run("FileStore", {"name": "x.txt", "ttl": ttl}, inputs={"Data": "x"})
        assert found == {"Url": f"https://files.example/agent/a1/components_data/x.txt?seconds={seconds}"}


async def test_a_file_gets_the_name_of_its_author_with_folders_and_values() -> None:
    async with bench(variables={"YEAR": 2024}) as b:
        inputs = {"Data": PNG, "id": "../../../etc/ü x", "nothing": None}
        found = await b.run("FileStore", {"name": "reports/{{YEAR}}/{{id}}{{nothing}}"}, inputs=inputs)
        assert found == {"Url": "smythfs://a1.agent/components_data/reports/2024/%C3%BC_x.png"}
        assert (await read_file(found["Url"], b.context)).name == "ü_x.png"


@pytest.mark.parametrize("name", ["../x.txt", "/x.txt", "a/../x.txt", "./x.txt", "a//x.txt", "{{up}}/{{up}}/x.txt"])
async def test_no_name_leads_out_of_the_folder(name: str) -> None:
    async with bench() as b:
        url = (await b.run("FileStore", {"name": name}, inputs={"Data": "x", "up": ".."}))["Url"]
        assert url.startswith("smythfs://a1.agent/components_data/")
        assert url.endswith("x.txt")
        assert ".." not in url


async def test_a_file_is_kept_as_long_as_its_author_said() -> None:
    async with bench() as b:
        ends = []
        for ttl in ("60", 86_400, ""):
            await b.run("FileStore", {"name": "x.txt", "ttl": ttl}, inputs={"Data": "x"})
            info = await b.context.storage.stat("components_data/x.txt")
            ends.append((info.expires or 0) - info.modified)
        assert [round(seconds) for seconds in ends] == [60, 86_400, 86_400]


async def test_the_same_run_reads_it_for_any_caller_and_a_later_one_does_not() -> None:
    eve = Candidate.user("eve")
    async with bench(caller=eve) as b:
        url = (await b.run("FileStore", inputs={"Data": "x"}))["Url"]
        assert (await read_file(url, b.context)).data == b"x"
        with pytest.raises(AccessDeniedError):
            await read_file(url, b.host.context(b.context.request, caller=eve))


async def test_files_of_others_are_not_copied_into_reach() -> None:
    async with bench(caller=Candidate.user("eve")) as b:
        await b.context.storage.write("secret.txt", "the agent's own")
        for data in (
            "smythfs://a1.agent/secret.txt",
            {"url": "smythfs://a1.agent/secret.txt", "mimetype": "text/plain", "size": 1},
        ):
            with pytest.raises(AccessDeniedError):
                await b.run("FileStore", inputs={"Data": data})


@pytest.mark.parametrize("inputs", [{}, {"Data": None}, {"Data": ""}])
async def test_there_must_be_something_to_store(inputs: dict[str, Any]) -> None:
    async with bench() as b:
        with pytest.raises(ComponentError, match="nothing to store"):
            await b.run("FileStore", inputs=inputs)
