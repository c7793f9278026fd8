"""What code cannot do: run on, take all memory, reach out, or mix with another run."""

import asyncio

import psutil
import pytest
from anyio import fail_after

from sre_core.components.process_places import process_places

WORKER = "worker.py"
LATE = "the code ran longer than 0.3 seconds"


@pytest.mark.parametrize(
    "body",
    [
        "while (true) {}",
        "try { while (true) {} } catch { return 1; } finally { while (true) {} }",
        "await 0; while (true) {}",
        "const again = () => { Promise.resolve().then(again); }; again(); await new Promise(() => {});",
        "const again = () => setTimeout(again, 0); again(); await new Promise(() => {});",
        "await new Promise((done) => setTimeout(done, 1e9));",
        "return /^(a+)+$/.test('a'.repeat(60) + 'b');",
        "return { toJSON() { while (true) {} } };",
        "throw { get message() { while (true) {} }, toJSON() { while (true) {} } };",
    ],
)
async def test_code_that_runs_on_is_stopped(run, body):
    with fail_after(60):
        assert (await run(f"async function main() {{ {body} }}", timeout=0.3))["_error"] == LATE


async def test_code_outside_main_is_stopped_too(run):
    assert await run("while (true) {}\nfunction main() {}", timeout=0.3) == {"_error": LATE}


@pytest.mark.parametrize(
    "bomb",
    [
        "const a = []; while (true) a.push('x'.repeat(1e5) + a.length);",
        "const a = []; while (true) a.push({ a });",
        "const a = []; while (true) a.push(new Uint8Array(1e6).fill(1));",
        "return 'x'.repeat(5e8);",
        "return new Array(1e8).fill(0);",
    ],
)
async def test_code_that_takes_too_much_memory_is_stopped(run, bomb):
    error = (await run(f"function main() {{ {bomb} }}", memoryLimit=16))["_error"]
    assert "more than 16 MiB of memory" in error


async def test_an_array_larger_than_the_address_space_is_refused(run):
    assert "RangeError" in (await run("function main() { return new ArrayBuffer(1e15); }"))["_error"]


@pytest.mark.parametrize("deep", ["f = () => f() + 1; return f();", "return JSON.parse('['.repeat(1e6));"])
async def test_deep_recursion_is_an_error_and_no_crash(run, deep):
    assert "Maximum call stack size exceeded" in (await run(f"function main() {{ {deep} }}"))["_error"]


async def test_a_result_that_is_nested_too_deep_is_refused(run):
    code = "function main() { let a = []; for (let i = 0; i < 3000; i++) a = [a]; return a; }"
    assert await run(code) == {"_error": "what main returned is nested too deep"}


async def test_a_result_that_is_too_large_is_refused(run):
    found = await run("function main() { return 'x'.repeat(2e7); }", memoryLimit=256)
    assert found["_error"].startswith("what main returned has 20000002 characters")


async def test_a_large_input_and_a_large_result_go_through(run):
    large = "é" * 5_000_000
    assert await run("function main(a) { return a; }", {"a": large}, memoryLimit=256) == {"Output": large}


async def test_an_input_that_is_too_large_for_the_memory_is_an_error(run):
    found = await run("function main(a) { return a.length; }", {"a": "é" * 10_000_000}, memoryLimit=8)
    assert "more than 8 MiB of memory" in found["_error"]


async def test_a_long_console_is_cut(run):
    code = "function main() { for (let i = 0; i < 20_000; i++) console.log('x'.repeat(1000)); return 1; }"
    found = await run(code, memoryLimit=16)
    assert found["Output"] == 1
    assert 60_000 < len(found["_debug"]) < 70_000


async def test_an_endless_console_is_stopped_and_takes_no_memory(run):
    found = await run("function main() { while (true) console.log('x'.repeat(1000)); }", timeout=0.3, memoryLimit=8)
    assert found["_error"] == LATE
    assert len(found.get("_debug", "")) < 70_000


async def test_there_is_no_way_out(run):
    names = "fetch require process Deno XMLHttpRequest WebSocket std os scriptArgs print load read"
    code = f"function main() {{ return '{names}'.split(' ').filter((name) => name in globalThis); }}"
    assert await run(code) == {"Output": []}


@pytest.mark.parametrize("module", ["fs", "std", "os", "/etc/passwd", "./worker.py", "https://example.com/a.js"])
async def test_there_are_no_modules(run, module):
    found = await run(f"async function main() {{ return await import('{module}'); }}")
    assert found["_error"].startswith("ReferenceError: could not load module")
    found = await run(f"import x from '{module}';\nfunction main() {{}}")
    assert found == {"_error": "the code imports a module, and there are none here"}


async def test_code_finds_its_own_functions_and_not_the_host(run):
    code = """
    function main() {
        const reached = [];
        for (const name of Object.getOwnPropertyNames(globalThis)) {
            const value = globalThis[name];
            if (typeof value === "function" && !/\\[native code\\]/.test(Function.prototype.toString.call(value)))
                reached.push(name);
        }
        return reached.sort();
    }
    """
    ours = ["clearInterval", "clearTimeout", "main", "queueMicrotask", "setInterval", "setTimeout"]
    assert await run(code) == {"Output": ours}


async def test_changed_prototypes_change_nothing_for_the_sandbox(run):
    code = """
    JSON.parse = JSON.stringify = Object.hasOwn = Reflect.apply = () => { throw new Error("mine"); };
    Array.prototype[Symbol.iterator] = null;
    Promise.prototype.then = null;
    Object.prototype.error = Object.prototype.value = Object.prototype.settled = "planted";
    globalThis.Promise = globalThis.Date = globalThis.Error = undefined;
    function main(a) { return { a }; }
    """
    assert await run(code, {"a": {"b": 1}}) == {"Output": {"a": {"b": 1}}}


async def test_nothing_stays_from_one_run_to_the_next(run):
    code = "function main() { globalThis.seen = (globalThis.seen ?? 0) + 1; return seen; }"
    assert [await run(code), await run(code)] == [{"Output": 1}, {"Output": 1}]


async def test_twenty_runs_at_once_do_not_mix(run):
    code = """
    let mine;
    async function main(i) {
        mine = i;
        console.log(i);
        await new Promise((done) => setTimeout(done, 20 - i));
        return [mine, i];
    }
    """
    with fail_after(60):
        found = await asyncio.gather(*(run(code, {"i": i}) for i in range(20)))
    assert found == [{"Output": [i, i], "_debug": f"{i}\n"} for i in range(20)]


async def test_a_run_waits_while_as_many_run_as_the_machine_can_take(run):
    places = process_places()
    others = [object() for _ in range(int(places.total_tokens))]
    for other in others:
        places.acquire_on_behalf_of_nowait(other)
    waiting = asyncio.ensure_future(run("function main() { return 7; }"))
    with fail_after(60):
        while not places.statistics().tasks_waiting:  # noqa: ASYNC110 -- places tell nobody
            await asyncio.sleep(0)
        assert not workers()
        for other in others:
            places.release_on_behalf_of(other)
        assert await waiting == {"Output": 7}


async def test_the_event_loop_goes_on_while_code_runs(run):
    running = asyncio.ensure_future(run("function main() { while (true) {} }", timeout=1))
    turns = 0
    while not running.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 1


async def test_a_cancelled_run_leaves_no_process(run):
    running, started = await endless(run)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with fail_after(60):
        while any(process.is_running() for process in started):  # noqa: ASYNC110 -- the system tells nobody
            await asyncio.sleep(0.01)


async def test_secrets_of_the_environment_do_not_reach_the_process(run, monkeypatch):
    monkeypatch.setenv("SRE_TEST_SECRET", "planted")
    running, started = await endless(run)
    try:
        for process in started:
            assert "SRE_TEST_SECRET" not in process.environ()
    finally:
        running.cancel()
        await asyncio.wait([running])


async def endless(run):
    """A run that goes on, and its processes, once they run the worker."""
    running = asyncio.ensure_future(run("function main() { while (true) {} }", timeout=600))
    with fail_after(60):
        while not (started := workers()):  # noqa: ASYNC110 -- the system tells nobody
            await asyncio.sleep(0.01)
    return running, started


def workers():
    return [child for child in psutil.Process().children() if WORKER in command(child)]


def command(child):
    try:
        return " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        # It ended a moment ago: one of another test, maybe.
        return ""
