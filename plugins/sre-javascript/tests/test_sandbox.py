"""What code gets, what it gives, and what is said of its faults."""

import pytest

from sre_core.components.node import Node
from sre_core.errors import ComponentError
from sre_javascript.component import ECMASandbox


async def test_parameters_take_inputs_by_name_whatever_their_order(run):
    code = "async function main(city, days) { return { city, days }; }"
    assert await run(code, {"days": [1, 2], "city": "Oslo"}) == {"Output": {"city": "Oslo", "days": [1, 2]}}


@pytest.mark.parametrize(
    "value",
    [
        'it\'s "quoted"\n`${1 + 1}`\\',
        "'); while (true) {} ('",
        "snow ☃ and 😀 and \u0000 and \u2028",
        {"a": [1, 2.5, None, True, {"b": ""}]},
        {"__proto__": {"admin": True}, "constructor": 1},
        [],
        0,
        None,
        False,
    ],
)
async def test_data_goes_in_and_out_unchanged(run, value):
    assert await run("const main = (value) => value;", {"value": value}) == {"Output": value}


async def test_an_input_is_no_code(run):
    found = await run("function main(a, b) { return typeof a + typeof b; }", {"a": "1); throw 1; (", "b": "main"})
    assert found == {"Output": "stringstring"}


@pytest.mark.parametrize(
    "code",
    [
        "async function main(a, b = 2) { return a + b; }",
        "const main = async (a, b = 2) => a + b;",
        "let main = function (a, /* the second */ b = 2) { return a + b; };",
        "main = async (a, b = 2) => a + b",
        "export async function main(a, b = 2) { return a + b; }",
        "export default function main(a, b = 2) { return a + b; }",
        "function main({ a, b = 2 }) { return a + b; }",
        "function main(x) { return 0; }\nfunction main(a, b = 2) { return a + b; }",
        "function main(a, ...rest) { return a + (rest.length || 2); }",
        "const main = a => a + 2; // the end",
    ],
)
async def test_main_may_be_written_in_all_usual_ways(run, code):
    assert await run(code, {"a": 1}) == {"Output": 3}


async def test_undefined_fires_nothing_and_null_does(run):
    assert await run("function main() {}") == {}
    assert await run("function main() { return null; }") == {"Output": None}


async def test_promises_and_timers_are_waited_for(run):
    code = """
    const later = (value, ms) => new Promise((done) => setTimeout(done, ms, value));
    async function main() {
        const cancelled = setTimeout(() => { throw new Error("not cancelled"); }, 1);
        clearTimeout(cancelled);
        let ticks = 0;
        const ticked = new Promise((done) => {
            const ticking = setInterval(() => {
                if (++ticks < 3) return;
                clearInterval(ticking);
                done();
            }, 1);
        });
        const values = await Promise.all([later("b", 20), later("a", 10), ticked]);
        await later(0, 10);
        return { values, ticks };
    }
    """
    assert await run(code) == {"Output": {"values": ["b", "a", None], "ticks": 3}}


async def test_a_timer_that_throws_ends_the_run(run):
    code = "async function main() { setTimeout(() => { throw new Error('late'); }, 1); await new Promise(() => {}); }"
    assert (await run(code))["_error"].startswith("Error: late (line 1")


async def test_a_promise_that_nothing_settles_is_no_endless_wait(run):
    found = await run("function main() { return new Promise(() => {}); }")
    assert found == {"_error": "main waits for a promise that nothing will settle"}


async def test_the_console_goes_to_debug_also_of_code_that_fails(run):
    found = await run("function main() { console.log('a', 1, {b: [2]}, null); console.error('c'); return 1; }")
    assert found == {"Output": 1, "_debug": 'a 1 {"b":[2]} null\nc\n'}
    found = await run("function main() { console.log('before'); throw new TypeError('no'); }")
    assert found == {"_error": "TypeError: no (line 1, column 52)", "_debug": "before\n"}


@pytest.mark.parametrize("fails", ["throw new RangeError('é')", "return Promise.reject(new RangeError('é'))"])
async def test_errors_name_the_line_of_the_author(run, fails):
    found = await run(f"export function main() {{\n\n  {fails};\n}}")
    assert found["_error"].startswith("RangeError: é (line 3, column ")


async def test_a_syntax_error_names_its_line(run):
    found = await run("function main() {\n  let a = ;\n}")
    assert found["_error"].startswith("SyntaxError: ")
    assert "(line 2, column " in found["_error"]


@pytest.mark.parametrize(
    ("thrown", "said"),
    [
        ("'plain'", "plain"),
        ("''", "Error: it has no message"),
        ("{ code: 7 }", '{"code":7}'),
        ("undefined", "undefined"),
    ],
)
async def test_anything_may_be_thrown(run, thrown, said):
    assert await run(f"async function main() {{ throw {thrown}; }}") == {"_error": said}


@pytest.mark.parametrize(
    ("value", "said"),
    [("10n", "BigInt"), ("main", "a function"), ("(() => { const a = {}; a.a = a; return a; })()", "circular")],
)
async def test_what_is_no_data_cannot_be_returned(run, value, said):
    error = (await run(f"function main() {{ return {value}; }}"))["_error"]
    assert error.startswith("what main returned has no form in JSON: ")
    assert said in error


async def test_values_become_what_json_makes_of_them(run):
    code = "function main() { return [NaN, undefined, new Date(0), new Map([[1, 2]]), '\\ud800']; }"
    assert await run(code) == {"Output": [None, None, "1970-01-01T00:00:00.000Z", {}, "?"]}


@pytest.mark.parametrize("code", ["let a = 1;", "const main = 5;", "function other() {}"])
async def test_code_without_main_is_told_so(run, code):
    assert await run(code) == {"_error": "the code has no function main"}


@pytest.mark.parametrize("code", ["", "  \n"])
async def test_a_node_without_code_is_told_so(run, code):
    with pytest.raises(ComponentError, match="there is no code"):
        await run(code)
    (flaw,) = ECMASandbox.of(Node(id="N", type="ECMASandbox", data={"code": code})).check()
    assert (flaw.setting, flaw.message) == ("code", "there is no code")


async def test_an_input_that_is_no_data_is_refused(run):
    circle: list = []
    circle.append(circle)
    with pytest.raises(ComponentError, match="no form in JSON"):
        await run("function main(a) {}", {"a": circle})
