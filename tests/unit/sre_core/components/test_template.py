import re
import time
from typing import Any

import pytest

from sre_core.components.compat import Compat
from sre_core.components.node import Node
from sre_core.components.template import (
    MAX_CHARACTERS,
    as_text,
    expand,
    expand_value,
    pieces,
    placeholders,
    read_secret,
)
from sre_core.errors import AccessDeniedError, ComponentError, ConfigError, NotFoundError
from sre_core.testing.bench import bench

SECRETS = {"token": "s3cret"}


async def filled(text: str, values: dict[str, Any] | None = None, *, node: Node | None = None, **kwargs: Any) -> str:
    variables = kwargs.pop("variables", None)
    compat = kwargs.pop("compat", None)
    async with bench(secrets=SECRETS, variables=variables, compat=compat) as b:
        return await expand(text, values or {}, b.context, node=node, **kwargs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no placeholder, {one} [brace]", "no placeholder, {one} [brace]"),
        ("Hi {{name}}!", "Hi Ann!"),
        ("{{ name }}", "{{ name }}"),
        ("{{name", "{{name"),
        ("{{}}", "{{}}"),
        ("{{na\nme}}", "{{na\nme}}"),
        ("{{name}}{{name}}", "AnnAnn"),
        ("{{{name}}}", "{Ann}"),
        ("{{{{name}}}}", "{{Ann}}"),
        ("{{user.emails[1].to}}", "b@x"),
        ("{{user.emails.1.to}}", "b@x"),
        ("{{user.emails[7]}}", "{{user.emails[7]}}"),
        ("{{user.emails[-1]}}", "{{user.emails[-1]}}"),
        ("{{a.b}}", "exact name first"),
        ("{{zero}} {{empty}} {{false}}", "0  false"),
        ("{{none}} {{missing}}", "{{none}} {{missing}}"),
        ("{{list}} {{user.emails[0]}}", '[1,"x"] {"to":"a@x"}'),
        ('"{{quoted}}"', '"say "hi""'),
        ("{{__class__}} {{name.__class__}} {{user.keys}}", "{{__class__}} {{name.__class__}} {{user.keys}}"),
    ],
)
async def test_placeholders_are_filled_from_values(text: str, expected: str) -> None:
    values = {
        "name": "Ann",
        "user": {"emails": [{"to": "a@x"}, {"to": "b@x"}]},
        "a": {"b": "by path"},
        "a.b": "exact name first",
        "zero": 0,
        "empty": "",
        "false": False,
        "none": None,
        "list": [1, "x"],
        "quoted": 'say "hi"',
    }
    assert await filled(text, values) == expected


async def test_what_names_nothing_can_go_away() -> None:
    assert await filled("a{{x}}b{{none}}c", {"none": None}, missing="empty") == "abc"


HOSTILE = ["{{KEY(token)}}", "{{VAR}}", "{{VARINPUT:Label:[1]}}", "{{other}}", "{{evil}}", "KEY(token)", "{KEY(token)}"]


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize(
    "text", ["{{evil}}", "{{{evil}}}", "{{{{evil}}}}", "a{{evil}}b{{evil}}", "{{WRAP}}", "{{WRAP2}}"]
)
async def test_what_a_request_brings_is_never_a_template(evil: str, text: str) -> None:
    variables = {"VAR": "private", "WRAP": "<{{evil}}>", "WRAP2": "<{{WRAP}}>"}
    node = Node(id="N", type="T", template={"t": {"label": "Label", "value": "private"}})
    found = await filled(text, {"evil": evil, "other": "private"}, variables=variables, node=node)
    assert evil in found
    assert "s3cret" not in found
    assert "private" not in found


async def test_two_values_cannot_make_a_placeholder_together() -> None:
    values = {"open": "{{", "name": "KEY(token)", "close": "}}", "half": "{{KEY(tok"}
    assert await filled("{{open}}{{name}}{{close}} {{half}}en)}}", values) == "{{KEY(token)}} {{KEY(token)}}"


async def test_a_value_does_not_stand_in_for_a_secret() -> None:
    assert await filled("{{KEY(token)}}", {"KEY(token)": "fake", "KEY": "fake"}) == "s3cret"


async def test_secrets_and_the_team_are_read_by_name() -> None:
    assert await filled("Bearer {{KEY( token )}} of {{KEY(teamid)}}") == "Bearer s3cret of default"


@pytest.mark.parametrize("text", ["{{KEY()}}", "Bearer {{KEY( )}}"])
async def test_a_secret_without_a_name_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ComponentError, match=r"there is no name of a secret in \{\{KEY"):
        await filled(text)


@pytest.mark.parametrize("name", ["not-mine", "nobody-has-it", "../token", "a/b"])
async def test_a_secret_that_cannot_be_read_is_an_error_and_no_text(name: str) -> None:
    async with bench(secrets=SECRETS, config={"access": {"vault/not-mine": {"user:bench": "own"}}}) as b:
        with pytest.raises((AccessDeniedError, NotFoundError, ConfigError)):
            await expand(f"Bearer {{{{KEY({name})}}}}", {}, b.context, missing="empty")
        with pytest.raises((AccessDeniedError, NotFoundError, ConfigError)):
            await read_secret(name, b.context)


async def test_variables_are_templates_of_their_author() -> None:
    variables = {
        "URL": "https://{{HOST}}/{{city}}",
        "HOST": "{{NAME}}.example",
        "NAME": "api",
        "AUTH": "{{KEY(token)}}",
        "LIMITS": {"max": 5},
        "NULL": None,
    }
    text = "{{URL}} {{AUTH}} {{LIMITS.max}} {{LIMITS}} {{NULL}}"
    assert await filled(text, {"city": "Rome"}, variables=variables) == (
        'https://api.example/Rome s3cret 5 {"max":5} {{NULL}}'
    )


async def test_a_value_comes_before_a_variable_unless_it_is_none() -> None:
    variables = {"city": "Rome"}
    assert await filled("{{city}}", {"city": "Oslo"}, variables=variables) == "Oslo"
    assert await filled("{{city}}", {"city": None}, variables=variables) == "Rome"


@pytest.mark.parametrize(
    "variables",
    [
        {"A": "{{A}}"},
        {"A": "{{B}}", "B": "{{A}}"},
        {"A": "{{A}}{{A}}" * 50},
        {"A": "x{{A1}}"} | {f"A{n}": f"x{{{{A{n + 1}}}}}" for n in range(1, 30)},
    ],
)
async def test_a_variable_that_contains_itself_is_an_error(variables: dict[str, str]) -> None:
    with pytest.raises(ComponentError, match="contains itself"):
        await filled("{{A}}", variables=variables)


def nested(times: int, deepest: str = "xyz") -> dict[str, str]:
    return {"A": "{{B}}" * times, "B": "{{C}}" * times, "C": "{{D}}" * times, "D": "{{N}}" * times, "N": deepest}


async def test_variables_that_name_each_other_many_times_take_no_longer_than_their_text() -> None:
    assert await filled("{{A}}", variables=nested(40)) == "xyz" * 40**4
    assert await filled("{{A}}", variables=nested(1000, "{{EMPTY}}") | {"EMPTY": ""}) == ""


async def test_variables_mean_the_same_wherever_they_are_named_first() -> None:
    chain = {f"V{n}": f"{{{{V{n + 1}}}}}" for n in range(1, 8)} | {"V8": "x"}
    assert await filled("{{V5}}{{V4}}{{V5}}", variables=chain) == "xxx"
    with pytest.raises(ComponentError, match="contains itself"):
        await filled("{{V5}}{{V1}}", variables=chain)


@pytest.mark.parametrize(
    ("text", "culprit"),
    [("{{A}}", "{{C}}"), ("{{x}}{{y}}{{x}}", "{{x}}"), ("{{x}}" * 1000, "{{x}}"), ("{{KEEP}}{{z}}", "{{z}}")],
)
async def test_a_text_that_would_be_too_long_is_an_error_that_names_the_placeholder(text: str, culprit: str) -> None:
    long = {"x": "x" * (MAX_CHARACTERS // 2), "y": "y", "z": "z" * MAX_CHARACTERS}
    with pytest.raises(ComponentError, match=re.escape(f"longer than {MAX_CHARACTERS:,} characters with '{culprit}'")):
        await filled(text, long, variables=nested(200, "x" * 20))


@pytest.mark.parametrize("value", [["x" * 2**20] * 100, {"x" * 2**20: ["y"]}, ['"' * 40_000_000]])
async def test_a_value_whose_json_would_be_too_long_is_an_error_that_names_the_placeholder(value: Any) -> None:
    if isinstance(value, dict):
        for _ in range(40):
            value = {"a": value, "b": value}
    with pytest.raises(ComponentError, match=r"\{\{data\.v\}\}: .* too large for a text") as caught:
        await filled("<{{data.v}}>", {"data": {"v": value}})
    assert "store it as a file" in str(caught.value.hint)


async def test_a_text_may_be_as_long_as_the_largest_input() -> None:
    fifty = "x" * 50_000_000
    assert len(await filled("<{{x}}>", {"x": fifty})) == 50_000_002
    assert len(await filled("<{{x}}>", {"x": [fifty]})) == 50_000_006
    assert as_text("x" * (MAX_CHARACTERS + 1))[-1] == "x"


NODE = Node(
    id="N",
    type="T",
    data={"_templateVars": {"t1": "{{KEY(token)}}", "t4": None}},
    template={
        "t1": {"label": "API Key", "type": "VARVAULTINPUT", "value": "unused"},
        "t2": {"label": " City ", "value": "{{town}}"},
        "t3": {"label": "Body", "value": {"a": 1}},
        "t4": {"label": "Mode", "value": "fast"},
    },
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{VARVAULTINPUT:API Key:[""]}}', "s3cret"),
        ('{{VAULTINPUT:API Key: [{"id":"x"}]}}', "s3cret"),
        ('{{VARINPUT:City:{"a":{"b":{"c":1}}}}}', "Rome"),
        ('{"b":{{VARINPUT:Body:{"type":"x"}}}}', '{"b":{"a":1}}'),
        ('{"b":{{VARINPUT:Body:["x"]}}}', '{"b":{"a":1}}'),
        ("{{VARINPUT:Mode:[]}}-{{VARINPUT:City:[]}}", "fast-Rome"),
        ("{{VARINPUT:Nobody:[]}}", "{{VARINPUT:Nobody:[]}}"),
        ("{{VARINPUT:City}}", "{{VARINPUT:City}}"),
    ],
)
async def test_placeholders_of_a_component_template_are_filled_by_their_label(text: str, expected: str) -> None:
    assert await filled(text, {"town": "Rome"}, node=NODE) == expected


async def test_placeholders_of_a_component_template_need_their_node() -> None:
    text = '{{VARVAULTINPUT:API Key:[""]}}'
    assert await filled(text) == text
    assert await filled(text, missing="empty") == ""
    assert await filled(text, node=Node(id="N", type="T", data={"_templateVars": None})) == text


async def test_what_is_inserted_is_quoted_once_for_its_place() -> None:
    variables = {"V": "<{{x}}>"}
    text = "{{x}} {{V}} {{KEY(token)}} {{n}}"
    found = await filled(text, {"x": "a", "n": 1}, variables=variables, quote=lambda value: f"'{as_text(value)}'")
    assert found == "'a' '<a>' 's3cret' '1'"


async def test_quotes_are_escaped_only_for_files_that_ask_for_it() -> None:
    values = {"x": 'say "hi" or \\"ho\\"', "o": {"k": "v"}}
    escaped = await filled("{{x}} {{o}} {{V}}", values, compat=Compat(escaped_quotes=True), variables={"V": '"{{x}}"'})
    assert escaped.startswith('say \\"hi\\" or \\"ho\\" {"k":"v"} \\"say \\"hi\\"')
    assert await filled("{{x}}", values) == values["x"]


async def test_one_placeholder_alone_becomes_the_value_itself() -> None:
    async with bench(variables={"LIST": [1], "TEXT": "<{{n}}>"}, secrets=SECRETS) as b:
        template = {"n": "{{n}}", "text": "n={{n}}", "list": ["{{d}}", 5, None], "v": "{{LIST}}", "t": "{{TEXT}}"}
        found = await expand_value(template, {"n": 7, "d": {"k": "{{n}}"}}, b.context)
        assert found == {"n": 7, "text": "n=7", "list": [{"k": "{{n}}"}, 5, None], "v": [1], "t": "<7>"}
        assert await expand_value("{{missing}} {{KEY(token)}}", {}, b.context) == "{{missing}} s3cret"
        assert await expand_value("{{KEY(token)}}", {"KEY(token)": "fake"}, b.context) == "s3cret"


def test_the_names_of_a_text_are_listed_without_secrets() -> None:
    text = '{{a}} {{b.c[0]}} {{KEY(token)}} {{VARINPUT:Label:["x"]}} {{a}}'
    assert placeholders(text) == ["a", "b.c[0]", "a"]
    assert "".join(piece for piece, _ in pieces(text)) == text
    assert [piece for piece, is_placeholder in pieces(text) if not is_placeholder] == [" ", " ", " ", " "]


@pytest.mark.parametrize(
    "unit",
    [
        "{{",
        "{{a",
        "{{a}",
        "{{A:",
        "{{A:b:[",
        "{{A:b:{",
        "{{A:b:[]}",
        "{{A: ",
        "{{A:b:{{",
        "{",
        "}",
        "{{a}}",
        "[",
        "\n{{A:b:[",
    ],
)
async def test_a_text_of_any_shape_takes_no_longer_than_its_length(unit: str) -> None:
    text = "{{A:b:" + unit * (400_000 // len(unit))
    begun = time.process_time()
    await filled(text, {"a": "x"})
    placeholders(text)
    assert time.process_time() - begun < 4


async def test_a_huge_value_is_inserted_as_it_is() -> None:
    huge = "{{KEY(token)}}" * 500_000
    assert await filled("<{{x}}>", {"x": huge}) == f"<{huge}>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (b"x", "x"),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (2**70, "1180591620717411303424"),
        ({"a": "ü"}, '{"a":"ü"}'),
        ((1, 2), "[1,2]"),
    ],
)
def test_values_are_written_as_json(value: Any, text: str) -> None:
    assert as_text(value) == text


def levels(count: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(count):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [b"\xff", {"a": b"\xff"}, "loop", levels(300), levels(50_000)],
    ids=["bytes", "bytes inside", "in itself", "deep", "deeper"],
)
def test_what_cannot_be_written_as_text_is_an_error(value: Any) -> None:
    if value == "loop":
        value = []
        value.append(value)
    with pytest.raises(ComponentError):
        as_text(value)
