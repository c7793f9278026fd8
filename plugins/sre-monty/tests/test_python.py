"""What code gets, what it gives, and what is said of its faults."""

import pytest

from sre_core.components.node import Node
from sre_core.errors import ComponentError
from sre_monty.component import PythonSandbox


async def test_parameters_take_inputs_by_name_whatever_their_order(run):
    code = "def main(city, days):\n    return {'city': city, 'days': days}"
    assert await run(code, {"days": [1, 2], "city": "Oslo"}) == {"Output": {"city": "Oslo", "days": [1, 2]}}


@pytest.mark.parametrize(
    "code",
    [
        "def main(a, b=2):\n    return a + b",
        "async def main(a, b=2):\n    return a + b",
        "def main(a, /, b=2):\n    return a + b",
        "def main(a, *, b=2):\n    return a + b",
        "def main(**inputs):\n    return inputs['a'] + 2",
        "def main(x):\n    return 0\n\ndef main(a):\n    return a + 2  # the end",
        "a = 100\ndef main(a):\n    return a + 2",
        "a + 2",
        "b = 2\na + b  # the end",
    ],
)
async def test_code_may_be_written_in_all_usual_ways(run, code):
    assert await run(code, {"a": 1}) == {"Output": 3}


async def test_without_a_last_expression_there_is_none(run):
    assert await run("x = 1") == {"Output": None}


@pytest.mark.parametrize(
    "value",
    [
        'it\'s "quoted"\n{x}\\',
        "'); exit() #",
        "snow ☃ 😀 \u0000 \u2028",
        {"a": [1, 2.5, None, True, {"b": ""}]},
        0,
        None,
        [],
    ],
)
async def test_data_goes_in_and_out_unchanged(run, value):
    assert await run("def main(value):\n    return value", {"value": value}) == {"Output": value}
    assert await run("value", {"value": value}) == {"Output": value}


@pytest.mark.parametrize("name", ["my input", "1st", "class", "a-b", "x=1"])
async def test_an_input_that_is_no_name_is_told_so_where_it_had_to_be_one(run, name):
    with pytest.raises(ComponentError, match="cannot be a variable"):
        await run("1", {name: 1})
    assert await run("def main(**inputs):\n    return inputs", {name: 1}) == {"Output": {name: 1}}


async def test_inputs_that_main_does_not_take_are_left_out(run):
    assert await run("def main():\n    return 1", {"a": 1}) == {"Output": 1}


async def test_a_parameter_without_an_input_is_an_error_with_its_name(run):
    error = (await run("def main(a, b):\n    return a", {"a": 1}))["_error"]
    assert error.startswith("TypeError: ")
    assert "'b'" in error


async def test_what_is_printed_goes_to_debug_also_of_code_that_fails(run):
    assert await run("print('hé', 1)\n2") == {"Output": 2, "_debug": "hé 1\n"}
    assert await run("print('a')\nraise KeyError('x')") == {"_error": "KeyError: x (line 2)", "_debug": "a\n"}


async def test_errors_name_the_line_of_the_author(run):
    code = "def inner():\n    return 1 / 0\n\ndef main():\n    return inner()"
    assert await run(code) == {"_error": "ZeroDivisionError: division by zero (line 2)"}


@pytest.mark.parametrize("code", ["x = 1\ndef :", "x = 1\n  y = 2"])
async def test_a_syntax_error_names_its_line(run, code):
    error = (await run(code))["_error"]
    assert error.startswith("SyntaxError: ")
    assert error.endswith("(line 2)")


@pytest.mark.parametrize("code", ["", "  \n"])
async def test_a_node_without_code_is_told_so(run, code):
    with pytest.raises(ComponentError, match="there is no code"):
        await run(code)
    (flaw,) = PythonSandbox.of(Node(id="N", type="PythonSandbox", data={"code": code})).check()
    assert (flaw.setting, flaw.message) == ("code", "there is no code")


def test_code_that_is_no_python_is_told_before_it_runs():
    def flaws(code):
        node = Node(id="N", type="PythonSandbox", data={"code": code})
        return [(flaw.setting, flaw.message) for flaw in PythonSandbox.of(node).check()]

    ((setting, message),) = flaws("x = 1\ndef main(:\n    return x")
    assert setting == "code"
    assert message.startswith("SyntaxError: ")
    assert message.endswith("(line 2)")
    assert flaws("def main(a):\n    return a") == flaws("a + 1") == []


async def test_values_become_what_json_makes_of_them(run):
    code = "import datetime\n[(1, 2), {3}, {4: 5}, float('nan'), datetime.date(2026, 1, 2), b'a', '\\ud800']"
    assert await run(code) == {"Output": [[1, 2], [3], {"4": 5}, None, "2026-01-02", "YQ==", "\ufffd"]}


@pytest.mark.parametrize("code", ["...", "class A:\n    pass\nA()", "a = []\nfor i in range(3000):\n    a = [a]\na"])
async def test_what_is_no_data_cannot_be_a_result(run, code):
    assert (await run(code))["_error"].startswith("the result ")


async def test_an_input_that_is_no_data_is_refused(run):
    with pytest.raises(ComponentError, match="an input"):
        await run("a", {"a": object()})
