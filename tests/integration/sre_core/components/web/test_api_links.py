"""Files in the query of a call: links that live as long as the call."""

from urllib.parse import urlsplit

import pytest

from sre_core.access.candidate import Candidate
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.components.files import store_file
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.hookspecs import hookimpl
from sre_core.messages import File
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

FILE = File(name="a.txt", media_type="text/plain", data=b"hello")


class LinkedStorage(MemoryStorage):
    """Keeps objects in memory, and says where one could fetch them."""

    name = "linked"
    capabilities = MemoryStorage.capabilities | {"url"}

    async def url(self, key, seconds):
        return f"https://files.example/{key}?seconds={seconds:g}&sig=a%2Fb"


class Plugin:
    @hookimpl
    def register_connectors(self):
        return [LinkedStorage]


def linked():
    plugins = Plugins.load(only=[])
    plugins.register("linked", Plugin())
    return {"plugins": plugins, "config": {"connectors": {"storage": {"default": {"use": "linked"}}}}}


async def temporary(place):
    return [info.key async for info in place.context.storage.list("_temp")]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_api_gets_a_link_that_is_gone_after_the_call(fails):
    async with bench(**linked()) as place:
        value = await store_file(FILE, place.context)
        contents = []

        async def answer(received):
            link = urlsplit(received.query["file"])
            assert link.netloc == "files.example"
            assert link.query == "seconds=120&sig=a%2Fb"
            contents.append(await place.context.storage.read(link.path.removeprefix("/agent/a1/")))
            return "x" * 1000 if fails else "ok"

        async with local_service(answer) as service:
            data = {"method": "GET", "url": f"{service.url}/?file={{{{f}}}}&x=1", "timeout": 60, "maxBytes": 100}
            if fails:
                with pytest.raises(ComponentError, match="larger"):
                    await place.run("APICall", data, inputs={"f": value})
            else:
                assert (await place.run("APICall", data, inputs={"f": value["url"]}))["Response"] == "ok"
            assert service.received[0].query["x"] == "1"
        assert contents == [b"hello"]
        assert await temporary(place) == []


async def test_a_link_opens_nothing_that_the_caller_could_not():
    async with bench(caller=Candidate.user("stranger"), **linked()) as place:
        await place.context.storage.write("secret.txt", b"hidden")
        async with local_service(lambda _: "ok") as service:
            data = {"method": "GET", "url": f"{service.url}/?file={{{{f}}}}"}
            with pytest.raises(AccessDeniedError):
                await place.run("APICall", data, inputs={"f": "smythfs://a1.agent/secret.txt"})
            assert service.received == []
            own = {"method": "GET", "url": f"{service.url}/?file=smythfs://a1.agent/secret.txt"}
            await place.run("APICall", own)
            assert service.received[0].query["file"].startswith("https://files.example/agent/a1/_temp/")
        assert await temporary(place) == []


async def test_a_storage_without_links_is_an_error_that_says_so():
    async with bench() as place, local_service(lambda _: "ok") as service:
        value = await store_file(FILE, place.context)
        with pytest.raises(ComponentError, match="no public links") as caught:
            await place.run("APICall", {"method": "GET", "url": f"{service.url}/?f={{{{f}}}}"}, inputs={"f": value})
        assert "url" in caught.value.hint
        assert service.received == []
