"""The request that a node means, made without sending it."""

import subprocess
import sys

import pytest

from sre_core.components.node import Node
from sre_core.components.web.api_request import build_request, parse_headers, pick_proxy
from sre_core.components.web.api_settings import APICallSettings
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

NODE = Node(id="N", type="APICall")


async def no_links(value, *, from_caller):
    raise AssertionError(f"{value!r} is no file")


async def request(data, inputs=None, **settings):
    read = APICallSettings.model_validate({"method": "GET", "url": "https://a.example/", **data})
    async with bench(**settings) as place:
        return await build_request(read, inputs or {}, place.context, node=NODE, share=no_links)


async def test_names_of_headers_are_in_lower_case_and_the_last_one_counts():
    made = await request({"headers": '{"X-A": "1", "x-a": "2", "": "3", "X-B": {"c": [1]}, "X-C": null, "X-D": ""}'})
    assert made.headers == {"x-a": "2", "x-b": '{"c":[1]}', "x-d": ""}


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ('{"{{name}}": "v"}', "Host"),
        ('{"{{name}}": "v"}', " hOST "),
        ('{"{{name}}": "v", "Authorization": "{{KEY(k)}}"}', "authorization"),
        ('{"X-{{name}}": "v", "x-role": "user"}', "Role"),
    ],
)
async def test_an_input_that_names_a_header_names_no_host_and_none_of_the_author_s(headers, named):
    with pytest.raises(ComponentError, match="names the header"):
        await request({"headers": headers}, {"name": named}, secrets={"k": "hush"})
    assert await request({"headers": headers}, {"name": "X-Other"}, secrets={"k": "hush"})


async def test_a_variable_of_the_author_may_name_the_host():
    made = await request({"headers": '{"{{name}}": "b.example"}'}, variables={"name": "Host"})
    assert made.headers == {"host": "b.example"}


async def test_settings_come_as_editors_write_them():
    data = {
        "method": "post",
        "contentType": "",
        "headers": None,
        "oauthService": "None",
        "tokenURL": "",
        "timeout": "5",
        "unknown": 1,
    }
    settings = APICallSettings.model_validate({"url": "https://a.example", **data})
    assert (settings.method, settings.content_type, settings.timeout) == ("POST", "none", 5.0)


@pytest.mark.parametrize(
    "data",
    [
        {"method": "CONNECT"},
        {"method": "GET /x"},
        {"url": "x" * 8193},
        {"url": ""},
        {"contentType": "image/png"},
        {"timeout": 0},
        {"timeout": "soon"},
        {"maxBytes": -1},
    ],
)
async def test_settings_that_cannot_be_are_refused(data):
    with pytest.raises(ValueError, match="validation error"):
        await request(data)


async def test_a_head_has_no_body_and_nothing_shows_secrets():
    data = {
        "method": "HEAD",
        "url": "https://a.example/?k={{KEY(k)}}",
        "headers": '{"a": "{{KEY(k)}}"}',
        "contentType": "text/plain",
        "body": "{{KEY(k)}}",
    }
    made = await request(data, secrets={"k": "s3cret"})
    assert made.data is None
    assert made.headers["a"] == "s3cret"
    assert "s3cret" not in repr(made)
    assert "s3cret" not in repr(await request({**data, "method": "POST"}, secrets={"k": "s3cret"}))


@pytest.mark.parametrize("headers", ["", "  ", {}, "{}"])
def test_no_headers_are_none(headers):
    assert parse_headers(headers) == {}


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        ({"X-A": " {{secret}}", "x-b": 5, "c": None}, {"x-a": "{{secret}}", "x-b": "5"}),
        ({"Host": "elsewhere.example", "X-A": "1"}, {"x-a": "1"}),
        ('{"X-A": "1"}', {"x-a": "1"}),
        ("{'X-A': '1',}", {"x-a": "1"}),
        (" ", {}),
        (None, {}),
    ],
)
async def test_one_placeholder_may_stand_for_all_headers(value, headers):
    assert (await request({"headers": " {{all}} "}, {"all": value}, variables={"secret": "s"})).headers == headers
    assert (await request({"headers": "{{all}}"}, variables={"all": value})).headers == headers


@pytest.mark.parametrize("value", ["x", "[1]", 5, ["x-a"]])
async def test_headers_that_come_in_are_an_object(value):
    with pytest.raises(ComponentError):
        await request({"headers": "{{all}}"}, {"all": value})


@pytest.mark.parametrize("headers", ["x", "[]", "{{headers}", "5", "{{a}} {{b}}"])
def test_headers_are_an_object(headers):
    with pytest.raises(ComponentError, match="headers"):
        parse_headers(headers)


async def test_proxies_are_listed_one_a_line():
    seen = []

    def choose(proxies):
        seen.append(list(proxies))
        return proxies[-1]

    async with bench(variables={"host": "p.example"}, secrets={"pw": "s3"}) as place:
        text = "http://a.example:1\r\n\n  u:{{KEY(pw)}}@{{host}}:3128  \n"
        found = await pick_proxy(text, {}, place.context, node=NODE, choose=choose)
        assert found == "http://u:s3@p.example:3128"
        assert seen == [["http://a.example:1", "u:{{KEY(pw)}}@{{host}}:3128"]]
        assert await pick_proxy(" \n", {}, place.context, node=NODE, choose=choose) is None
        with pytest.raises(ComponentError, match="proxy"):
            await pick_proxy("{{host}}", {"host": "x"}, place.context, node=NODE, choose=choose)


@pytest.mark.parametrize(
    "data",
    [
        {"url": "https://a.example/{{v}}"},
        {"url": "https://a.example/?q={{v}}"},
        {"contentType": "application/json", "body": '{"v": "{{v}}"}'},
        {"contentType": "application/json", "body": '{"v": {{v}}}'},
        {"contentType": "application/x-www-form-urlencoded", "body": "v={{v}}"},
        {"contentType": "multipart/form-data", "body": '{"{{v}}": "{{v}}"}'},
        {"contentType": "text/plain", "body": "{{v}}"},
        {"contentType": "application/xml", "body": "{{v}}"},
    ],
)
@pytest.mark.parametrize("value", ["\ud800", ["\ud800"]])
async def test_half_of_a_character_is_an_error(data, value):
    with pytest.raises(ComponentError, match=r"half of a character|cannot be written"):
        await request(data, {"v": value})


def test_a_node_that_calls_an_api_loads_nothing_heavy_before_it_is_called():
    code = "import sre_core.components.web.api_call, sys; print([m for m in HEAVY if m in sys.modules])"
    heavy = "HEAVY = ['aiohttp', 'oauthlib', 'aiohttp_socks', 'lxml']; "
    # Our own interpreter and code.
    found = subprocess.run([sys.executable, "-c", heavy + code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
