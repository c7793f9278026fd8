"""APICall against a server on loopback: what leaves, and what becomes of the reply."""

import asyncio
import json

import anyio
import pytest
from aiohttp import web

from sre_core.components.node import InputPort, Node
from sre_core.components.web.api_call import APICall
from sre_core.errors import AccessDeniedError, ComponentError, DeadlineError, NotFoundError, UnavailableError
from sre_core.testing.bench import bench
from sre_core.testing.servers import free_port
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def call(service, data, inputs=None, *, ports=None, **settings):
    """Run a node whose URL begins with {base}, the author's own text."""
    async with bench(**settings) as place:
        given = {"method": "GET", **data}
        given["url"] = given.get("url", "{base}/").replace("{base}", service.url)
        return await place.run("APICall", given, inputs=inputs or {}, input_ports=ports)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", " get "])
async def test_all_methods_are_sent(method):
    async with local_service(lambda _: {"ok": True}) as service:
        outputs = await call(service, {"method": method})
        assert service.received[0].method == method.strip().upper()
        assert outputs["Response"] == ("" if method == "HEAD" else {"ok": True})
        assert outputs["Headers"]["content-type"].startswith("application/json")
        assert "_error" not in outputs
        assert "content-type" not in service.received[0].headers


async def test_url_headers_and_body_are_filled():
    data = {
        "method": "POST",
        "url": "{base}/users/{{id}}?q={{q}}",
        "headers": '{"Authorization": "Bearer {{KEY(token)}}", "X-City": "{{city}}", "X-N": {{n}}, "X-No": {{no}}}',
        "contentType": "application/json",
        "body": '{"q": "{{q}}", "n": {{n}}}',
    }
    async with local_service(lambda _: "ok") as service:
        await call(
            service, data, {"id": "a/b", "q": 'x"&y', "n": 5}, secrets={"token": "t0k\n"}, variables={"city": "Lyon"}
        )
        (received,) = service.received
        assert received.target == "/users/a%2Fb?q=x%22%26y"
        assert received.headers["authorization"] == "Bearer t0k"
        assert (received.headers["x-city"], received.headers["x-n"]) == ("Lyon", "5")
        assert "x-no" not in received.headers
        assert received.headers["content-type"] == "application/json"
        assert json.loads(received.body) == {"q": 'x"&y', "n": 5}


async def test_json_is_asked_for_unless_the_author_asks_for_something_else():
    async with local_service(lambda _: "ok") as service:
        await call(service, {})
        await call(service, {"headers": {"Accept": "text/csv"}})
        asked = [received.headers["accept"] for received in service.received]
        assert asked == ["application/json, text/plain, */*", "text/csv"]


async def test_the_authors_own_content_type_stays():
    data = {"method": "POST", "contentType": "application/json", "body": "{}"}
    async with local_service(lambda _: "ok") as service:
        await call(service, {**data, "headers": {"Content-Type": "application/vnd.api+json"}})
        await call(service, {**data, "contentType": "multipart/form-data", "headers": {"content-type": "a/b"}})
        assert service.received[0].headers["content-type"] == "application/vnd.api+json"
        assert service.received[1].headers["content-type"].startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize(
    ("inputs", "headers"),
    [
        ({"v": "a\r\nX-Admin: 1"}, '{"X-V": "{{v}}"}'),
        ({"v": "a\nX-Admin: 1"}, '{"X-V": {{v}}}'),
        ({"v": "X-A: 1\r\nX-B"}, '{"{{v}}": "1"}'),
        ({"v": "\x00"}, '{"X-V": "{{v}}"}'),
    ],
)
async def test_a_header_cannot_become_two(inputs, headers):
    async with local_service(lambda _: "ok") as service:
        with pytest.raises(ComponentError, match="header"):
            await call(service, {"headers": headers}, inputs)
        assert service.received == []


@pytest.mark.parametrize("headers", ["Accept: a/b", "[1]", '"x"', '{"a": ', "{{headers}"])
async def test_headers_that_are_no_json_are_an_error_and_no_header(headers):
    async with local_service(lambda _: "ok") as service:
        with pytest.raises(ComponentError, match="headers"):
            await call(service, {"headers": headers})
        assert service.received == []
    data = {"method": "GET", "url": service.url, "headers": headers}
    assert len(list(APICall.of(Node(id="N", type="APICall", data=data)).check())) == 1


@pytest.mark.parametrize(
    "url",
    [
        "{{url}}",
        "{{url}}/x",
        "http://{{host}}/",
        "http://127.0.0.1:{{port}}/",
        "{{TRICK}}/x",
        "{{scheme}}://127.0.0.1:{{port}}/",
        "http://127.0.0.1{{end}}/",
    ],
)
async def test_an_input_cannot_lead_to_this_machine(url):
    async with local_service(lambda _: "secret") as service:
        host = service.url.removeprefix("http://")
        port = host.partition(":")[2]
        inputs = {"url": service.url, "host": host, "port": port, "scheme": "http", "end": f":{port}"}
        with pytest.raises(ComponentError, match="refused"):
            await call(service, {"url": url}, inputs, variables={"TRICK": "http://{{host}}"})
        assert service.received == []


async def test_an_author_may_name_this_machine_by_a_variable_or_a_secret():
    async with local_service(lambda _: "hello") as service:
        settings = {"variables": {"BASE": service.url}, "secrets": {"base": service.url}}
        for url in ("{{BASE}}/x", "{{KEY(base)}}/x"):
            assert (await call(service, {"url": url}, **settings))["Response"] == "hello"


async def test_an_input_names_no_variable_and_no_secret():
    async with local_service(lambda _: "ok") as service:
        data = {"method": "POST", "url": "{base}/?a={{a}}", "contentType": "text/plain", "body": "{{a}} {{b}}"}
        data["headers"] = '{"X-A": "{{a}}"}'
        inputs = {"a": "{{KEY(k)}}", "b": "{{V}}"}
        await call(service, data, inputs, secrets={"k": "hidden"}, variables={"V": "hidden"})
        (received,) = service.received
        assert b"hidden" not in received.body
        assert received.body == b"{{KEY(k)}} {{V}}"
        assert received.query == {"a": "{{KEY(k)}}"}
        assert received.headers["x-a"] == "{{KEY(k)}}"


async def test_a_secret_that_is_denied_or_missing_stops_the_request():
    async with local_service(lambda _: "ok") as service:
        data = {"headers": '{"Authorization": "{{KEY(nobody)}}"}'}
        with pytest.raises((AccessDeniedError, NotFoundError)):
            await call(service, data)
        assert service.received == []


@pytest.mark.parametrize("status", [304, 400, 401, 404, 418, 500, 599])
async def test_a_status_that_is_no_success_gives_all_and_an_error(status):
    body = None if status == 304 else json.dumps({"why": "s3cret"})
    response = web.Response(status=status, text=body, headers={"X-A": "b", "Content-Type": "application/json"})
    async with local_service(lambda _: response) as service:
        outputs = await call(service, {"url": "{base}/x?key=s3cret"})
        assert outputs["Response"] == ("" if status == 304 else {"why": "s3cret"})
        assert outputs["Headers"]["x-a"] == "b"
        assert outputs["_error"].startswith(f"{service.url} answered {status}")
        assert "s3cret" not in outputs["_error"]
        assert len(service.received) == 1


async def test_a_server_that_is_not_there_is_raised():
    async with bench() as place:
        with pytest.raises(UnavailableError):
            await place.run("APICall", {"method": "GET", "url": f"http://127.0.0.1:{free_port()}/"})


async def test_the_settings_limit_time_and_size():
    done = asyncio.Event()

    async def answer(received):
        if received.target == "/slow":
            await done.wait()
        return web.Response(text="x" * 100)

    async with local_service(answer) as service:
        with anyio.fail_after(60):
            with pytest.raises(DeadlineError):
                await call(service, {"url": "{base}/slow", "timeout": "0.2"})
            done.set()
        with pytest.raises(ComponentError, match="larger than 99 bytes"):
            await call(service, {"maxBytes": 99})


async def test_fifty_calls_of_one_node_at_once_do_not_mix():
    together = asyncio.Barrier(50)

    async def answer(received):
        await together.wait()
        return {"q": received.query["q"], "body": received.body.decode()}

    async with local_service(answer) as service, bench() as place:
        data = {"method": "POST", "url": f"{service.url}/?q={{{{q}}}}", "contentType": "text/plain", "body": "b{{q}}"}
        with anyio.fail_after(60):
            found = await asyncio.gather(*(place.run("APICall", data, inputs={"q": n}) for n in range(50)))
        assert [outputs["Response"] for outputs in found] == [{"q": str(n), "body": f"b{n}"} for n in range(50)]


class Second(APICall):
    """Takes the second proxy."""

    def choose(self, proxies):
        return proxies[1]


async def test_one_of_the_proxies_is_taken_and_its_password_may_be_a_secret():
    async with local_service(lambda _: "by proxy") as proxy, bench(secrets={"pw": "p4ss"}) as place:
        host = proxy.url.removeprefix("http://")
        data = {
            "method": "GET",
            "url": "http://intranet.example/x",
            "proxy": f"http://no.example:1\n\n user:{{{{KEY(pw)}}}}@{host} \n",
        }
        outputs = await place.run(Second, data)
        assert outputs["Response"] == "by proxy"
        assert proxy.received[0].target == "http://intranet.example/x"
        assert proxy.received[0].headers["proxy-authorization"] == "Basic dXNlcjpwNHNz"


async def test_an_input_is_no_proxy():
    async with local_service(lambda _: "by proxy") as proxy:
        with pytest.raises(ComponentError, match="proxy"):
            await call(proxy, {"proxy": "{{proxy}}"}, {"proxy": proxy.url})
        assert proxy.received == []


async def test_a_file_is_uploaded_and_one_comes_back():
    def answer(received):
        return web.Response(body=received.body, headers={"Content-Type": received.headers["content-type"]})

    async with local_service(answer) as service, bench() as place:
        data = {"method": "PUT", "url": f"{service.url}/a.png", "contentType": "binary", "body": "{{f}}"}
        first = await place.run("APICall", data, inputs={"f": PNG})
        second = await place.run(
            "APICall", data, inputs={"f": first["Response"]}, input_ports=[InputPort(name="f", type="Binary")]
        )
        assert service.received[1].body == PNG
        assert second["Response"]["size"] == len(PNG)


async def test_what_a_component_template_was_filled_in_with_is_the_authors():
    template = {
        "t1": {"id": "t1", "label": "Server", "type": "text", "value": ""},
        "t2": {"id": "t2", "label": "Api Key", "type": "text", "value": ""},
    }
    async with local_service(lambda _: "ok") as service, bench(secrets={"k": "s3&cret"}) as place:
        data = {
            "method": "POST",
            "url": '{{VARINPUT:Server:{"type": "text"}}}/x?key={{VAULTINPUT:Api Key:["all"]}}',
            "headers": '{"Authorization": "Bearer {{VAULTINPUT:Api Key:["all"]}}"}',
            "contentType": "application/json",
            "body": '{"key": "{{VAULTINPUT:Api Key:["all"]}}", "q": "{{q}}"}',
            "_templateVars": {"t1": service.url, "t2": "{{KEY(k)}}"},
        }
        inputs = {"q": '{{VAULTINPUT:Api Key:["all"]}}'}
        await place.run("APICall", data, inputs=inputs, template=template)
        (received,) = service.received
        assert received.target == "/x?key=s3%26cret"
        assert received.headers["authorization"] == "Bearer s3&cret"
        assert json.loads(received.body) == {"key": "s3&cret", **inputs}
