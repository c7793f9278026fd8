"""What becomes of a reply: data, text or a file, and an error beside them."""

import pytest

from sre_core.components.files import read_file
from sre_core.components.http_client import HTTPReply
from sre_core.components.web.api_response import read_response
from sre_core.testing.bench import bench

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def read(body, content_type="", status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = HTTPReply(
        status=status,
        headers={**({"content-type": content_type} if content_type else {}), **named},
        body=body,
        url="https://user@a.example:8443/x/picture.png?key=s3cret",
    )
    async with bench() as place:
        return await read_response(reply, place.context)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"a": [1, null]}', "application/json", {"a": [1, None]}),
        (b'"text"', "Application/JSON; charset=utf-8", "text"),
        (b"0", "text/json", 0),
        (b'{"a": 1}', "application/problem+json", {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), "application/json", {"a": "é"}),
        (b"[1.0, -0.0, 1.5, 1e21, 1e999, NaN]", "application/json", [1, 0, 1.5, 1e21, None, None]),
        (b"oops", "application/json", "oops"),
        (b"\xff", "application/json", "\ufffd"),
        (b"[" * 100_000, "application/json", "[" * 100_000),
        (b"", "application/json", ""),
        (b"", "image/png", ""),
        (b"", "", ""),
        ("é".encode(), "text/plain", "é"),
        (b"\xe9", "text/plain; charset=latin-1", "é"),
        (b"\xe9", 'text/html; charset="nonsense"', "\ufffd"),
        (b"h\xe9", "text/html; charset=hex", "h\ufffd"),
        (b"h-", "text/html; charset=Punycode", "h-"),
        (b"{}", "text/plain", "{}"),
        (b"<a/>", "application/rss+xml", "<a/>"),
        (b"<a/>", "application/xml", "<a/>"),
        (b"a=1", "application/x-www-form-urlencoded", "a=1"),
        (b"{}\n{}", "application/x-ndjson", "{}\n{}"),
        ("é".encode(), "", "é"),
    ],
)
async def test_json_becomes_data_and_text_is_text(body, content_type, expected):
    found = (await read(body, content_type))["Response"]
    assert found == expected
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("headers", "ending"),
    [
        ({}, "picture.png"),
        ({"content_disposition": 'attachment; filename="../../a b.png"'}, "a_b.png"),
        ({"content_disposition": "attachment; filename*=UTF-8''n%C3%A9.png"}, "né.png"),
        ({"content_disposition": "attachment; filename=x\r\nEvil: 1.png"}, ".png"),
        ({"content_disposition": "nonsense;;;=\x00"}, "picture.png"),
    ],
)
@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream"])
async def test_anything_else_becomes_a_file_with_a_safe_name(headers, ending, content_type):
    value = (await read(PNG, content_type, **headers))["Response"]
    assert (value["mimetype"], value["size"]) == ("image/png", len(PNG))
    assert value["name"].endswith(ending)
    assert not set(value["name"]) & set("/\\\r\n \x00")


async def test_a_drawing_is_a_file_as_other_pictures_are():
    value = (await read(b"<svg/>", "image/svg+xml; charset=utf-8"))["Response"]
    assert (value["mimetype"], value["size"]) == ("image/svg+xml", 6)


async def test_a_file_can_be_read_again():
    async with bench() as place:
        reply = HTTPReply(status=200, headers={}, body=b"\xff\xfe\x00", url="https://a.example/")
        value = (await read_response(reply, place.context))["Response"]
        assert (await read_file(value, place.context)).data == b"\xff\xfe\x00"


@pytest.mark.parametrize(("status", "said"), [(302, "302 Found"), (404, "404 Not Found"), (599, "599"), (999, "999")])
async def test_a_failure_has_all_outputs_and_an_error_without_secrets(status, said):
    outputs = await read(b'{"why": 1}', "application/json", status, x_a="b")
    assert outputs == {
        "Response": {"why": 1},
        "Headers": {"content-type": "application/json", "x-a": "b"},
        "_error": f"https://a.example:8443 answered {said}",
    }


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_a_success_has_no_error(status):
    assert "_error" not in await read(b"", "", status)
