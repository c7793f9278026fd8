"""Headers that an author sets for every request of a node."""

import pytest

from sre_core.components.agents.headers import read_headers
from sre_core.components.node import Node
from sre_core.errors import ComponentError, SREError
from sre_core.testing.bench import bench

NODE = Node(id="N1", type="OpenAPI")


async def read(setting, values=None, **kwargs):
    async with bench(**kwargs) as place:
        return await read_headers(setting, values or {}, place.context, NODE)


@pytest.mark.parametrize("setting", ['{"X-Team": "blue", "X-Count": 2}', {"X-Team": "blue", "X-Count": 2}])
async def test_headers_are_a_json_object(setting):
    assert await read(setting) == {"X-Team": "blue", "X-Count": "2"}


async def test_no_headers_are_none():
    assert await read("") == await read({}) == {}


async def test_secrets_and_values_fill_placeholders():
    setting = {"Authorization": "Bearer {{KEY(k)}}", "X-User": "{{user}}"}
    read_back = await read(setting, {"user": "{{KEY(k)}}"}, secrets={"k": "hush"})
    assert read_back == {"Authorization": "Bearer hush", "X-User": "{{KEY(k)}}"}


async def test_a_placeholder_that_nothing_fills_is_not_sent():
    with pytest.raises(ComponentError, match="'X-User'"):
        await read({"X-User": "{{user}}"})


async def test_a_secret_that_the_agent_lacks_is_named():
    with pytest.raises(SREError, match="k"):
        await read({"Authorization": "{{KEY(k)}}"})


@pytest.mark.parametrize("setting", ["{", "[1]", '"X: 1"'])
async def test_what_is_no_json_object_is_refused(setting):
    with pytest.raises(ComponentError, match="headers"):
        await read(setting)
