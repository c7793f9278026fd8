"""JSON with placeholders, filled so that no value becomes anything but a value."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.components.compat import Compat
from sre_core.components.node import InputPort, Node
from sre_core.components.web.json_template import Bare, fill_json, parse_json_template
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench


async def fill(text, values, *, ports=(), variables=None, secrets=None):
    node = Node(id="N", type="APICall", inputs=tuple(ports))
    async with bench(variables=variables, secrets=secrets) as place:
        return await fill_json(parse_json_template(text, what="the body"), values, place.context, node=node)


@pytest.mark.parametrize(
    "attack",
    [
        '", "admin": true, "x": "',
        "\\",
        '\\"',
        "line\nbreak",
        "{{KEY(k)}}",
        "{{secret}}",
        "\uf8ff",
        "\uf8fe0\uf8fe",
        "\u2028",
    ],
)
async def test_a_value_in_quotes_stays_one_text(attack):
    filled = await fill('{"name": "{{name}}", "admin": false}', {"name": attack}, variables={"secret": "hidden"})
    assert filled == {"name": attack, "admin": False}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5),
        ("true", True),
        ("null", None),
        ('{"a": [1]}', {"a": [1]}),
        ("plain", "plain"),
        ('1, "admin": true', '1, "admin": true'),
        ({"a": "b"}, {"a": "b"}),
        ([1, 2], [1, 2]),
        (None, None),
        (False, False),
    ],
)
async def test_a_value_outside_of_quotes_is_a_value_of_json(value, expected):
    assert await fill('{"v": {{v}}, "admin": false}', {"v": value}) == {"v": expected, "admin": False}


async def test_a_value_of_a_text_port_is_a_text_also_outside_of_quotes():
    ports = [InputPort(name="v", type="String")]
    assert await fill('{"v": {{v}}}', {"v": '{"$ne": null}'}, ports=ports) == {"v": '{"$ne": null}'}


async def test_what_is_missing_is_empty_in_quotes_and_null_outside():
    assert await fill('{"a": "x{{no}}y", "b": {{no}}}', {}) == {"a": "xy", "b": None}


async def test_variables_and_secrets_are_filled_in_too():
    filled = await fill(
        '{"a": "{{city}}", "b": {{n}}, "c": "k={{KEY(k)}}", "d": {{KEY(k)}}}',
        {},
        variables={"city": 'Ly"on', "n": 3},
        secrets={"k": 's"1'},
    )
    assert filled == {"a": 'Ly"on', "b": 3, "c": 'k=s"1', "d": 's"1'}


async def test_paths_and_objects_in_quotes_are_texts_of_json():
    filled = await fill('{"first": "{{a.items[0].id}}", "all": "{{a}}"}', {"a": {"items": [{"id": "x"}]}})
    assert filled["first"] == "x"
    assert json.loads(filled["all"]) == {"items": [{"id": "x"}]}


async def test_names_may_be_placeholders_but_take_no_place_of_another():
    assert await fill('{"{{k}}": 1}', {"k": "name"}) == {"name": 1}
    for text in ('{"admin": false, "{{k}}": true}', '{"{{k}}": true, "admin": false}'):
        with pytest.raises(ComponentError, match="admin"):
            await fill(text, {"k": "admin"})


async def test_json_as_people_write_it_is_read():
    assert await fill("{name: '{{n}}', list: [1, 2,], // why\n}", {"n": "it's"}) == {"name": "it's", "list": [1, 2]}
    assert await fill('{"text": "two\nlines {{n}}"}', {"n": "!"}) == {"text": "two\nlines !"}


@pytest.mark.parametrize("text", ["{", '{"a": }', "Bearer x", '{"a": {{b}} {{c}}}', "[" * 100_000])
async def test_what_is_no_json_is_an_error_that_says_which_text(text):
    with pytest.raises(ComponentError, match="the body is no JSON"):
        parse_json_template(text, what="the body")


def test_a_template_alone_is_a_value():
    assert parse_json_template("{{body}}", what="the body") == Bare("{{body}}")
    assert parse_json_template('"{{body}}"', what="the body") == "{{body}}"


def test_characters_that_stand_for_placeholders_do_no_harm():
    assert parse_json_template('{"a": "\\uf8ff", "\\uf8fe": "\uf8fe0\uf8fe"}', what="it") is not None


async def test_quotes_are_not_escaped_twice_for_old_files():
    async with bench(compat=Compat(escaped_quotes=True)) as place:
        structure = parse_json_template('{"a": "{{v}}"}', what="it")
        filled = await fill_json(structure, {"v": '"'}, place.context, node=Node(id="N", type="APICall"))
        assert filled == {"a": '"'}


@given(value=st.text())
@settings(max_examples=150, deadline=None)
async def test_any_text_comes_out_as_it_went_in(value):
    structure = parse_json_template('{"a": "<{{v}}>", "b": ["{{v}}"], "c": 1}', what="it")
    node = Node(id="N", type="APICall")
    # No bench: nothing here asks for a variable or a secret.
    assert await fill_json(structure, {"v": value}, _CONTEXT, node=node) == {"a": f"<{value}>", "b": [value], "c": 1}


class _Context:
    """The one switch that templates look at."""

    class compat:  # noqa: N801
        escaped_quotes = False


_CONTEXT = _Context()
