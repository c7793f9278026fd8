import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from sre_core.access.candidate import Candidate
from sre_core.components.context import Request
from sre_core.components.files import read_file
from sre_core.components.flow.api_endpoint import APIEndpoint, APIEndpointSettings
from sre_core.components.node import InputPort
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.messages import File
from sre_core.testing.bench import bench

TYPES = ("any", "string", "number", "integer", "boolean", "array", "object", "binary", "date")
DATA = {"endpoint": "typing"}
EVE = Candidate.user("eve")


def ports(defaults: Mapping[str, Any] | None = None) -> list[InputPort]:
    return [InputPort(name=name, type=name.capitalize(), default=(defaults or {}).get(name)) for name in TYPES]


async def entered(
    inputs: Mapping[str, Any], declared: Sequence[InputPort | str], *, method: str = "POST", **request: Any
) -> Mapping[str, Any]:
    key = "query" if method == "GET" else "body"
    variables, secrets = request.pop("variables", None), request.pop("secrets", None)
    made = Request(method=method, **{key: inputs, **request})
    async with bench(request=made, variables=variables, secrets=secrets) as b:
        return await b.run("APIEndpoint", {**DATA, "method": method}, inputs=inputs, input_ports=declared)


async def test_the_values_of_a_request_get_the_types_of_their_inputs() -> None:
    sent = {
        "any": "hello world",
        "string": "hello world",
        "number": 5,
        "integer": 5,
        "boolean": True,
        "array": ["a", "b", "c"],
        "object": {"k": 1},
        "binary": "hello world",
        "date": "2024-01-02T03:04:05Z",
    }
    outputs = await entered(sent, ports(), headers={"Content-Type": "application/json"})
    body = dict(outputs["body"])
    file = body.pop("binary")
    assert (file["mimetype"], file["size"]) == ("text/plain", 11)
    assert file["name"].endswith("-binary.txt")
    assert body == {
        **{name: sent[name] for name in TYPES if name not in {"binary", "date"}},
        "date": "2024-01-02T03:04:05.000Z",
    }
    assert outputs["headers"] == {"content-type": "application/json", "Content-Type": "application/json"}
    assert outputs["query"] == {}
    assert outputs["params"] == {}


async def test_what_is_empty_gets_its_default_in_the_type_of_its_input() -> None:
    defaults = {
        "string": "Hello world",
        "number": "123",
        "integer": "1234",
        "boolean": True,
        "array": "a,b,c,d",
        "object": '{message:"hello world"}',
        "binary": "text data",
        "date": "01/20/2024",
    }
    outputs = await entered({"string": "", "number": None}, ports(defaults))
    body = dict(outputs["body"])
    assert body.pop("binary")["size"] == len("text data")
    assert body == {
        "string": "Hello world",
        "number": 123,
        "integer": 1234,
        "boolean": True,
        "array": ["a", "b", "c", "d"],
        "object": {"message": "hello world"},
        "date": "2024-01-20T00:00:00.000Z",
    }


async def test_false_and_zero_are_values_and_no_gaps() -> None:
    outputs = await entered({"number": 0, "boolean": False}, ports({"number": 5, "boolean": True}))
    assert outputs["body"] == {"number": 0, "boolean": False}


async def test_a_get_takes_its_values_from_the_query() -> None:
    outputs = await entered({"number": "5"}, ports({"integer": 7}), method="GET", params={"id": "x"})
    assert outputs["query"] == {"number": 5, "integer": 7}
    assert outputs["body"] == {}
    assert outputs["params"] == {"id": "x"}


@pytest.mark.parametrize("name", ["number", "integer", "boolean", "object", "date"])
async def test_a_value_that_does_not_fit_is_an_error(name: str) -> None:
    with pytest.raises(ComponentError, match=f"Invalid {name.capitalize()} value at the input '{name}'"):
        await entered({name: "nonsense"}, ports())


async def test_nothing_in_a_request_is_a_template() -> None:
    evil = {"any": "{{PRIVATE}}", "string": "{{KEY(token)}}", "extra": "{{PRIVATE}}", "object": {"a": "{{PRIVATE}}"}}
    outputs = await entered(evil, ports(), variables={"PRIVATE": "p"}, secrets={"token": "s3cret"})
    assert outputs["body"] == evil


async def test_a_default_is_a_template_of_other_inputs_and_variables() -> None:
    declared = [
        InputPort(name="name", type="String"),
        InputPort(name="greeting", type="String", default="{{HELLO}} {{name}}"),
        InputPort(name="copy", default="{{tags}}"),
        InputPort(name="tags", type="Array"),
    ]
    sent = {"name": "{{HELLO}}", "tags": "a,b", "HELLO": "stand-in"}
    outputs = await entered(sent, declared, variables={"HELLO": "Hi"})
    assert outputs["body"]["greeting"] == "Hi {{HELLO}}"
    assert outputs["body"]["copy"] == ["a", "b"]


async def test_a_default_hands_out_no_secret() -> None:
    declared = [
        InputPort(name="x", default="<{{KEY(token)}}> {{KEY(teamid)}}"),
        InputPort(name="y", default=["{{KEY(token)}}"]),
        InputPort(name="by_variable", default="<{{HEADER}}>"),
        InputPort(name="variable", default="{{HEADER}}"),
        InputPort(name="json", type="Object", default='{"a": "{{HEADER}}"}'),
        InputPort(name="nested", default="{{{{KEY(other)}}KEY(token)}}"),
    ]
    outputs = await entered({}, declared, secrets={"token": "s3cret"}, variables={"HEADER": "Bearer {{KEY(token)}}"})
    assert "s3cret" not in json.dumps(outputs)
    assert outputs["body"]["x"] == "<> default"
    assert outputs["body"]["y"] == [""]
    assert outputs["body"]["by_variable"] == "<Bearer >"


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("type_", ["Object", "Any"])
async def test_a_value_cannot_leave_its_place_in_a_default_that_is_json(quote: str, type_: str) -> None:
    declared = [
        InputPort(name="name", type="String"),
        InputPort(name="record", type=type_, default="{'name': '{{name}}', 'admin': false}".replace("'", quote)),
    ]
    name = "x', 'admin': true, 'y': '".replace("'", quote)
    outputs = await entered({"name": name}, declared)
    assert outputs["body"]["record"] == {"name": name, "admin": False}


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("Any", '{"a": 1}', {"a": 1}),
        ("Any", " {a: 1,} ", {"a": 1}),
        ("Whatever", '{"a": 1}', {"a": 1}),
        ("Any", "{name} is {here}", "{name} is {here}"),
        ("Any", "{{name}}", "{{name}}"),
        ("Any", '["a"]', '["a"]'),
        ("String", '{"a": 1}', '{"a": 1}'),
    ],
)
async def test_an_object_in_a_text_is_one_unless_a_text_was_asked_for(type_: str, text: str, expected: Any) -> None:
    outputs = await entered({"x": text}, [InputPort(name="x", type=type_)])
    assert outputs["body"]["x"] == expected


async def test_a_default_that_is_an_object_in_a_text_is_one_too() -> None:
    declared = [
        InputPort(name="name", type="String"),
        InputPort(name="plain", default='{"a": 1}'),
        InputPort(name="filled", default=' {who: "{{name}}", "at": "{{CITY}}"} '),
        InputPort(name="variable", default="{{OPTIONS}}"),
        InputPort(name="prose", default='{{name}} said {"a": 1}'),
        InputPort(name="set", default="{the {{name}} set}"),
        InputPort(name="text", type="String", default='{"a": 1}'),
    ]
    variables = {"CITY": "Rome", "OPTIONS": '{"b": 2}'}
    outputs = await entered({"name": 'A "b"'}, declared, variables=variables)
    assert outputs["body"] == {
        "name": 'A "b"',
        "plain": {"a": 1},
        "filled": {"who": 'A "b"', "at": "Rome"},
        "variable": {"b": 2},
        "prose": 'A "b" said {"a": 1}',
        "set": '{the A "b" set}',
        "text": '{"a": 1}',
    }


async def test_undeclared_values_come_along() -> None:
    outputs = await entered({"extra": 5, "json": '{"a": 1}'}, ports())
    assert outputs["body"] == {"extra": 5, "json": {"a": 1}}


async def test_uploads_come_in_at_the_input_of_their_name() -> None:
    pdf = File(name="cv.pdf", media_type="application/pdf", data=b"%PDF-1.7")
    text = File(name="a.txt", media_type="text/plain", data=b"a")
    files = {"cv": (pdf,), "notes": (text, text), "string": (text,), "undeclared": (text,)}
    declared = [
        InputPort(name="cv", type="Binary", default="unused"),
        InputPort(name="notes", type="Any", is_file=True),
        InputPort(name="string", type="String"),
    ]
    async with bench(request=Request(files=files), caller=EVE) as b:
        body = (await b.run("APIEndpoint", DATA, inputs={}, input_ports=declared))["body"]
        assert set(body) == {"cv", "notes"}
        assert body["cv"]["mimetype"] == "application/pdf"
        assert [note["size"] for note in body["notes"]] == [1, 1]
        assert (await read_file(body["cv"], b.context)).data == b"%PDF-1.7"


async def test_a_stored_file_in_a_request_is_opened_as_its_sender() -> None:
    async with bench(caller=EVE) as b:
        await b.context.storage.write("secret.txt", "the agent's own")
        for type_ in ("Binary", "Image", "String", "Any"):
            declared = [InputPort(name="x", type=type_)]
            value = {"url": "smythfs://a1.agent/secret.txt", "mimetype": "text/plain", "size": 15}
            outputs = await b.run("APIEndpoint", DATA, inputs={"x": value}, input_ports=declared)
            assert "own" not in json.dumps(outputs)
            with pytest.raises(AccessDeniedError):
                await read_file(json.loads(json.dumps(value)), b.context)
        with pytest.raises(AccessDeniedError):
            await b.run(
                "APIEndpoint", DATA, inputs={"x": value["url"]}, input_ports=[InputPort(name="x", type="Image")]
            )


@pytest.mark.parametrize("name", ["a", "no-await-async", "search_coins", "A1", "x" * 50])
def test_the_name_of_a_skill_is_a_plain_word(name: str) -> None:
    assert APIEndpointSettings.model_validate({"endpoint": name, "method": "get"}).method == "GET"


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "a-", "x" * 51, "_" * 45 + "!"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        APIEndpointSettings.model_validate({"endpoint": name})


def test_settings_go_by_the_names_that_files_have() -> None:
    keys = {field.alias for field in APIEndpointSettings.model_fields.values()}
    assert {"ai_exposed", "status_message", "advancedModeEnabled", "endpointLabel"} <= keys
    assert APIEndpoint.open_inputs
