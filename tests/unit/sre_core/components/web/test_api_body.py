"""Bodies of requests of all types, and values that try to be more than values."""

import base64
import json
from email.parser import BytesParser
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.files import store_file
from sre_core.components.node import InputPort, Node
from sre_core.components.web.api_body import Body, build_body
from sre_core.components.web.api_settings import BodyType
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.messages import File
from sre_core.testing.bench import bench

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def body(kind, template, values=None, *, ports=(), place=None, **settings):
    node = Node(id="N", type="APICall", inputs=tuple(ports))
    if place is not None:
        return await build_body(BodyType(kind), template, values or {}, place.context, node=node)
    async with bench(**settings) as place:
        return await build_body(BodyType(kind), template, values or {}, place.context, node=node)


def form_parts(made):
    """Name, file name and bytes of each part, as another library reads them."""
    message = BytesParser().parsebytes(b"Content-Type: " + made.content_type.encode() + b"\r\n\r\n" + made.data)
    return [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in message.get_payload()
    ]


@pytest.mark.parametrize("kind", list(BodyType))
async def test_no_body_is_no_body(kind):
    assert await body(kind, "") == Body()
    assert await body(kind, None) == Body()


async def test_json_is_filled_without_being_broken():
    made = await body("application/json", '{"q": "{{q}}", "n": {{n}}}', {"q": '", "x": "\n', "n": 5})
    assert json.loads(made.data) == {"q": '", "x": "\n', "n": 5}
    assert made.content_type == "application/json"


async def test_json_may_be_given_as_an_object():
    made = await body("application/json", {"q": "<{{q}}>", "list": ["{{q}}", 1, None]}, {"q": '"'})
    assert json.loads(made.data) == {"q": '<">', "list": ['"', 1, None]}


@pytest.mark.parametrize("value", [{"a": [1, "x"]}, [1], '{"a": [1, "x"]}'])
async def test_json_may_be_one_input(value):
    made = await body("application/json", "{{body}}", {"body": value})
    assert json.loads(made.data) == (json.loads(value) if isinstance(value, str) else value)


async def test_json_has_no_numbers_that_it_does_not_know():
    made = await body("application/json", '{"n": {{n}}}', {"n": float("nan")})
    assert json.loads(made.data) == {"n": None}


@pytest.mark.parametrize("attack", ["1&admin=true", "a=b", "x%26y", "\r\n", "ü +", "{{KEY(k)}}"])
@pytest.mark.parametrize(
    "template", ['{"q": "{{q}}", "role": "user"}', "q={{q}}&role=user", "{{name}}={{q}}&role=user"]
)
async def test_a_field_of_a_form_cannot_add_another(template, attack):
    made = await body(
        "application/x-www-form-urlencoded", template, {"q": attack, "name": "q"}, secrets={"k": "hidden"}
    )
    assert parse_qsl(made.data.decode(), keep_blank_values=True) == [("q", attack), ("role", "user")]


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        ("application/x-www-form-urlencoded", "{{name}}=1&role=user"),
        ("application/x-www-form-urlencoded", "role=user&{{name}}=1"),
        ("application/x-www-form-urlencoded", '{"{{name}}": 1, "role": "user"}'),
        ("multipart/form-data", '{"{{name}}": 1, "role": "user"}'),
        ("multipart/form-data", '{"role": "user", "{{name}}": 1}'),
    ],
)
async def test_an_input_that_names_a_field_names_none_of_the_author_s(kind, template):
    with pytest.raises(ComponentError, match="names the field 'role'"):
        await body(kind, template, {"name": "role"})
    assert b"other" in (await body(kind, template, {"name": "other"})).data


async def test_an_author_may_give_a_field_of_a_form_twice():
    assert (await body("application/x-www-form-urlencoded", "a=1&a={{b}}", {"b": 2})).data == b"a=1&a=2"


async def test_a_form_repeats_lists_leaves_out_nulls_and_writes_objects_as_json():
    made = await body("application/x-www-form-urlencoded", '{"a": {{a}}, "b": {{b}}, "c": {"d": 1}}', {"a": [1, "x"]})
    assert parse_qsl(made.data.decode()) == [("a", "1"), ("a", "x"), ("c", '{"d":1}')]


@pytest.mark.parametrize("form", ["a=1&b=%26", {"a": 1, "b": "&"}])
async def test_a_form_may_be_one_input(form):
    assert (await body("application/x-www-form-urlencoded", "{{form}}", {"form": form})).data == b"a=1&b=%26"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_is_an_object(kind):
    with pytest.raises(ComponentError, match="JSON object"):
        await body(kind, "[1, 2]")


async def test_xml_is_filled_and_its_values_escaped():
    attack = "</name><admin>1</admin><name a=\"'&\x00\ufffe"
    made = await body("application/xml", '<u id="{{i}}"><name>{{n}}</name></u>', {"i": '" x="', "n": attack})
    root = ET.fromstring(made.data)
    assert [child.tag for child in root] == ["name"]
    assert root.attrib == {"id": '" x="'}
    assert root[0].text == attack.replace("\x00", "").replace("\ufffe", "")
    assert (await body("application/xml", "{{doc}}", {"doc": "<a>&lt;</a>"})).data == b"<a>&lt;</a>"


async def test_text_and_bodies_of_no_type_are_filled_as_they_are():
    assert await body("text/plain", "Hi {{n}}{{no}} <{{o}}>", {"n": '"A"', "o": {"b": 1}}) == Body(
        data=b'Hi "A" <{"b":1}>', content_type="text/plain; charset=utf-8"
    )
    assert await body("none", "{{n}}", {"n": "ü"}) == Body(data="ü".encode())


async def test_a_binary_body_is_the_file_with_its_type():
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    made = await body("binary", "{{f}}", {"f": url})
    assert made == Body(data=PNG, content_type="image/png")
    async with bench() as place:
        value = await store_file(File(name="a.png", media_type="image/png", data=PNG), place.context)
        assert (await body("binary", "{{f}}", {"f": value}, place=place)).data == PNG


@pytest.mark.parametrize("values", [{}, {"f": None}, {"f": ""}])
async def test_a_binary_body_of_nothing_is_an_error(values):
    with pytest.raises(ComponentError, match="nothing to send"):
        await body("binary", "{{f}}", values)


async def test_a_multipart_form_takes_texts_lists_and_files():
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    async with bench() as place:
        stored = await store_file(File(name="b.png", media_type="image/png", data=PNG), place.context)
        made = await body(
            "multipart/form-data",
            '{"t": "x{{t}}", "n": {{n}}, "f": "{{f}}", "g": {{g}}, "no": {{no}}, "o": {"a": "{{t}}"}}',
            {"t": '"', "n": [1, True], "f": url, "g": [stored, stored]},
            ports=[InputPort(name="f", type="Image")],
            place=place,
        )
    parts = form_parts(made)
    assert [(name, data) for name, _, data in parts] == [
        ("t", b'x"'),
        ("n", b"1"),
        ("n", b"true"),
        ("f", PNG),
        ("g", PNG),
        ("g", PNG),
        ("o", b'{"a":"\\""}'),
    ]
    assert [bool(filename) for _, filename, _ in parts] == [False, False, False, True, True, True, False]
    assert made.fixed_type


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded", "application/json"])
async def test_a_body_that_is_one_input_names_no_secret(kind):
    given = {"{{KEY(k)}}": "{{KEY(k)}}", "{{V}}": ["{{V}}", {"x": "{{V}}"}]}
    made = await body(kind, "{{form}}", {"form": given}, secrets={"k": "hidden"}, variables={"V": "hidden"})
    assert b"hidden" not in made.data
    if kind == "multipart/form-data":
        assert form_parts(made)[0] == ("{{KEY(k)}}", None, b"{{KEY(k)}}")


async def test_a_text_that_looks_like_a_file_is_a_text_at_a_port_for_texts():
    made = await body("multipart/form-data", '{"t": "{{t}}"}', {"t": "data:text/plain,hello"})
    assert form_parts(made) == [("t", None, b"data:text/plain,hello")]


async def test_an_address_is_read_as_the_caller_and_not_as_the_agent():
    async with bench(caller=Candidate.user("stranger")) as place:
        await place.context.storage.write("secret.txt", b"hidden")
        values = {"f": "smythfs://a1.agent/secret.txt"}
        for kind, template in (("multipart/form-data", '{"f": "{{f}}"}'), ("binary", "{{f}}")):
            with pytest.raises(AccessDeniedError):
                await body(kind, template, values, place=place)
        with pytest.raises(AccessDeniedError):
            await body("multipart/form-data", "{{form}}", {"form": values}, place=place)
        written = '{"f": "smythfs://a1.agent/secret.txt"}'
        assert form_parts(await body("multipart/form-data", written, place=place))[0][2] == b"hidden"
