"""Workflows in Python: parts, ports, links, and what is refused at once."""

import copy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sre_core.components.base import Component as BaseComponent
from sre_core.components.base import ComponentSettings
from sre_core.components.library import builtin_components
from sre_core.components.node import OutputPort
from sre_core.errors import InvalidWorkflowError, StepFailedError, WorkflowError
from sre_core.hookspecs import hookimpl
from sre_sdk import Agent, Component, File
from sre_sdk.building import port_type
from tests.unit.sre_sdk.flows import Break, Look, asking, seen


async def result(runtime, path, value: Any, *, prepare=lambda entry: None) -> Any:
    """What leads from an input `q` of type Object along a path."""
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"q": "Any"})
    prepare(entry)
    Component.APIOutput(format="minimal").connect(value=path(entry.out))
    return (await agent.call("ask", q=value))["value"]


@pytest.mark.parametrize(
    "path",
    [
        lambda out: out.body.q["items"][0].id,
        lambda out: out["body"]["q"]["items"][0]["id"],
        lambda out: out["body.q.items[0].id"],
        lambda out: out["body.q"]["items[0].id"],
    ],
)
async def test_paths_with_attributes_keys_positions_and_brackets_lead_to_one_place(runtime, path):
    assert await result(runtime, path, {"items": [{"id": 7}]}) == 7


@pytest.mark.parametrize("key", ["my key", "from", "ключ", "a-b", "part_", "_x", "{{x}}"])
async def test_keys_need_not_be_identifiers(runtime, key):
    assert await result(runtime, lambda out: out.body.q[key], {key: 7}) == 7


@pytest.mark.parametrize("key", [-1, 1.5, slice(0, 2), None])
def test_what_is_no_key_and_no_position_is_refused(key):
    with pytest.raises(WorkflowError, match="no path leads to"):
        _ = Agent("Bob").endpoint("ask").out.body[key]


def test_an_output_is_no_list():
    out = Agent("Bob").endpoint("ask").out.body
    with pytest.raises(TypeError):
        list(out)
    with pytest.raises(TypeError):
        "q" in out  # noqa: B015 -- it raises
    assert copy.copy(out).path_ == "body"


async def test_a_path_leads_on_from_an_output_with_a_name_of_its_own(runtime):
    def prepare(entry):
        entry.output("first", path="body.q.items[0]", description="the first one")

    value = {"items": [{"id": 7, "tags": ["x"]}]}
    assert await result(runtime, lambda out: out.first, value, prepare=prepare) == value["items"][0]
    assert await result(runtime, lambda out: out.first.id, value, prepare=prepare) == 7
    assert await result(runtime, lambda out: out.first.tags[0], value, prepare=prepare) == "x"
    assert await result(runtime, lambda out: out["first.tags[0]"], value, prepare=prepare) == "x"


async def test_an_input_that_is_connected_twice_gets_a_list(runtime):
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"a": str, "b": str})
    Component.of(Look).connect(q=entry.out.body.a).connect(q=entry.out.body.b)
    assert seen(await agent.call("ask", a="1", b="2"))["inputs"] == {"q": ["1", "2"]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda entry: entry, "connected to a whole part"),
        (lambda entry: [entry.out.body.q, entry.out.body.q], "several outputs at once"),
        (lambda entry: {"a": entry.out.body.q}, "several outputs at once"),
        (lambda entry: entry.out, "no output of .* is named"),
    ],
)
def test_what_is_no_output_and_no_value_is_refused(wrong, message):
    entry = Agent("Bob").endpoint("ask", inputs={"q": str})
    with pytest.raises(WorkflowError, match=message):
        Component.FHash().connect(Data=wrong(entry))


def test_typos_in_ports_are_found_at_once():
    entry = Agent("Bob").endpoint("ask", inputs={"q": str})
    part = Component.FHash()
    with pytest.raises(WorkflowError, match="has no input 'Dtaa'") as caught:
        part.connect(Dtaa=entry.out.body.q)
    assert caught.value.hint == "did you mean 'Data'?"
    with pytest.raises(WorkflowError, match="has no output 'Hsah'") as caught:
        Component.APIOutput().connect(x=part.out.Hsah)
    assert caught.value.hint == "did you mean 'Hash'?"
    with pytest.raises(WorkflowError, match="takes its inputs from requests"):
        entry.connect(q=part.out.Hash)


@pytest.mark.parametrize(
    ("method", "path", "message", "hint"),
    [
        ("POST", lambda out: out.body.ctiy, "has no input 'ctiy'", "did you mean 'city'? (a new one"),
        ("POST", lambda out: out["body"]["ctiy"][0].x, "has no input 'ctiy'", "did you mean 'city'?"),
        ("POST", lambda out: out.body.zzz, "has no input 'zzz'", "it has: city, my key, a.b"),
        ("POST", lambda out: out.boddy, "has no output 'boddy'", "did you mean 'body'?"),
        ("POST", lambda out: out.boddy.city, "has no output 'boddy'", "did you mean 'body'?"),
        ("GET", lambda out: out.query.ctiy, "has no input 'ctiy'", "did you mean 'city'?"),
        ("GET", lambda out: out.body.city, "it is asked with GET", "take it from query.city"),
    ],
)
def test_typos_in_what_an_endpoint_takes_are_found_at_once(method, path, message, hint):
    agent = Agent("Bob")
    entry = agent.endpoint("ask", method=method, inputs={"city": str, "my key": str, "a.b": str})
    with pytest.raises(WorkflowError, match=message) as caught:
        Component.APIOutput().connect(x=path(entry.out))
    assert str(caught.value.hint).startswith(hint)
    assert agent.workflow.links == ()


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_all_that_a_request_may_bring_can_be_connected(method):
    entry = Agent("Bob").endpoint("ask", method=method, inputs={"my key": str, "a.b": str})
    home = "body" if method == "POST" else "query"
    paths = ["headers.X-Test", "params.id", "query", "body", "_authInfo", "_error", f"{home}.my key", f"{home}.a.b"]
    other = "query.page" if method == "POST" else "body.raw"
    for path in (*paths, other):
        Component.APIOutput().connect(x=entry.out[path])


def test_an_output_of_an_endpoint_with_a_typo_in_its_path_is_refused():
    entry = Agent("Bob").endpoint("ask", inputs={"q": str})
    with pytest.raises(WorkflowError, match="has no input 'p'"):
        entry.output("first", path="body.p.items[0]")
    assert "first" not in {port.name for port in entry.node.outputs}


def test_an_endpoint_that_declares_nothing_takes_anything():
    entry = Agent("Bob").endpoint("ask")
    Component.APIOutput().connect(x=entry.out.body.anything, y=entry.out.query.other)


@pytest.mark.parametrize("kind", [int, 5, None, BaseComponent])
def test_what_is_no_type_of_component_is_refused(kind):
    with pytest.raises(WorkflowError, match="is no type of component"):
        Component.of(kind)


def test_a_setting_without_its_name_is_refused():
    with pytest.raises(WorkflowError, match="FHash cannot take 'md5' without the name of a setting") as caught:
        Component.FHash("md5")
    assert caught.value.hint == "name each one: Component.FHash(algorithm=...)"
    with pytest.raises(WorkflowError, match="no component 'FHsah' is installed"):
        Component.FHsah("md5")


def test_typos_in_settings_and_components_are_found_at_once():
    with pytest.raises(InvalidWorkflowError, match="FHash has no setting 'algoritm'") as caught:
        Component.FHash(algoritm="md5", encdoing="hex")
    assert caught.value.hint == "did you mean 'algorithm'?"
    assert len(caught.value.problems) == 2
    with pytest.raises(InvalidWorkflowError, match="the settings of GenAILLM are wrong: temperature"):
        Component.GenAILLM(model="a", prompt="b", temperature="hot")
    with pytest.raises(WorkflowError, match="no component 'FHsah' is installed") as caught:
        Component.FHsah()
    assert caught.value.hint == "did you mean 'FHash'?"


def test_settings_go_by_their_python_names_and_by_those_in_files():
    one = Component.GenAILLM(model="a", prompt="b", max_tokens=5)
    two = Component.GenAILLM(model="a", prompt="b", maxTokens=5)
    assert one.node.data == two.node.data == {"model": "a", "prompt": "b", "maxTokens": 5}


def test_no_setting_is_taken_for_something_of_the_node():
    part = Component.DataSourceCleaner(id="doc", namespace_id="books")
    assert (part.node.id, part.node.data["id"]) == ("", "doc")
    own = {"node_id", "title"}
    assert [kind.name for kind in builtin_components() if own & kind.settings_type.model_fields.keys()] == []


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (str, "String"),
        (int, "Integer"),
        (float, "Number"),
        (bool, "Boolean"),
        (list, "Array"),
        (list[str], "Array"),
        (dict[str, int], "Object"),
        (datetime, "Date"),
        (bytes, "Binary"),
        (Path, "Binary"),
        (File, "Binary"),
        (Any, "Any"),
        ("Image", "Image"),
        ("text", "text"),
    ],
)
def test_types_of_python_are_types_of_ports(kind, wanted):
    assert port_type(kind) == wanted


@pytest.mark.parametrize("kind", [set, object, 5, ["str"], "Strnig", "", str | None])
def test_what_is_no_type_of_a_port_is_refused(kind):
    with pytest.raises(WorkflowError, match="no port has the type"):
        port_type(kind)


def test_saying_more_of_a_port_keeps_what_was_said():
    part = Agent("Bob").endpoint("ask", inputs={"n": int})
    part.input("n", description="how many").input("n", optional=True).input("n", default=3)
    port = part.node.inputs[0]
    assert (port.type, port.description, port.optional, port.default) == ("Integer", "how many", True, 3)
    part.output("o", path="body.n").output("o", description="it")
    assert (part.node.outputs[-1].expression, part.node.outputs[-1].description) == ("body.n", "it")


async def test_values_are_defaults_of_inputs(runtime):
    agent, entry, _ = asking(runtime=runtime)
    Component.of(Look, title="Two").connect({"my key": 5}, q=entry.out.body.q, more=["a", "b"])
    found = [seen(one)["inputs"] for one in await agent.call("ask", q="x")]
    assert found[1] == {"q": "x", "my key": 5, "more": ["a", "b"]}


async def test_parts_may_be_connected_before_they_belong_to_an_agent(runtime):
    digest = Component.FHash(algorithm="md5")
    answer = Component.APIOutput(format="minimal").connect(hash=digest.out.Hash)
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"q": str})
    assert "APIOutput" not in {node.type for node in agent.workflow.nodes.values()}
    digest.connect(Data=entry.out.body.q)
    assert list(await agent.call("ask", q="x")) == ["hash"]
    assert answer.node.id == "APIOUTPUT1"


def test_parts_of_two_agents_do_not_connect():
    one, two = Agent("One").endpoint("ask", inputs={"q": str}), Agent("Two").endpoint("ask", inputs={"q": str})
    part = Component.APIOutput().connect(a=one.out.body.q)
    with pytest.raises(WorkflowError, match="two parts belong to two agents"):
        part.connect(b=two.out.body.q)


def test_two_parts_with_one_id_do_not_connect():
    entry = Agent("Bob").endpoint("ask", inputs={"q": str}, node_id="X")
    with pytest.raises(WorkflowError, match="two nodes have the id 'X'"):
        Component.FHash(node_id="X").connect(Data=entry.out.body.q)


async def test_an_error_may_be_taken_elsewhere(runtime):
    agent, _, part = asking(Break, runtime=runtime)
    Component.of(Look).connect(why=part.out._error)
    assert seen(await agent.call("ask", q="x"))["inputs"] == {"why": "ValueError: broken on purpose"}


async def test_a_class_of_ones_own_needs_no_plugin(runtime):
    class Settings(ComponentSettings):
        times: int = 2

    class Repeat(BaseComponent):
        name = "Repeat"
        settings_type = Settings
        outputs = (OutputPort(name="Text", default=True),)
        open_inputs = True

        async def run(self, inputs, context):
            return {"Text": inputs["q"] * self.settings.times}

    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"q": str})
    Component.of(Repeat, times=3).connect(q=entry.out.body.q)
    assert (await agent.call("ask", q="x"))["result"] == {"Text": "xxx"}
    with pytest.raises(InvalidWorkflowError, match="Repeat has no setting 'tmies'"):
        Component.of(Repeat, tmies=3)


def test_a_class_of_ones_own_cannot_take_a_name():
    class Hash(Look):
        name = "FHash"

    class Other(Look):
        pass

    with pytest.raises(WorkflowError, match="'FHash' is the name of a built-in component"):
        Component.of(Hash)
    _, entry, _ = asking(Look)
    with pytest.raises(WorkflowError, match="two component types have the name 'Look'"):
        Component.of(Other).connect(q=entry.out.body.q)


async def test_a_class_that_a_plugin_offers_is_found_again_in_a_file(make_runtime, tmp_path):
    class Plugin:
        @hookimpl
        def register_components(self):
            return [Look]

    asking()[0].save(tmp_path / "bob.smyth")
    (with_plugin, _), (without, _) = make_runtime("x", plugin=Plugin()), make_runtime("x")
    async with with_plugin as runtime:
        agent = Agent.load(tmp_path / "bob.smyth", runtime=runtime)
        assert seen(await agent.call("ask", q="x"))["inputs"] == {"q": "x"}
    async with without as runtime:
        with pytest.raises(StepFailedError, match="no component 'Look' is installed"):
            await Agent.load(tmp_path / "bob.smyth", runtime=runtime).call("ask", q="x")


def test_the_library_lists_the_built_in_components():
    assert {"FHash", "GenAILLM", "APICall"} <= set(dir(Component))
    with pytest.raises(AttributeError):
        _ = Component._private
