"""Agents out of files: what is given in their place, what is wrong with them, and the agents beside them."""

import asyncio
import json
import logging
from types import MappingProxyType

import pytest

from sre_core.errors import ConfigError, InvalidWorkflowError, SkillError, StepFailedError
from sre_sdk import Agent, Limits
from sre_sdk.flow import Flow
from sre_sdk.loading import Neighbours, read_workflow
from tests.unit.sre_sdk.flows import document

ENTRY = {
    "id": "IN",
    "name": "APIEndpoint",
    "data": {"endpoint": "ask"},
    "inputs": [{"name": "q", "type": "String"}],
    "outputs": [{"name": "body", "default": True}, {"name": "body.q"}],
}
LINK = {"sourceId": "IN", "sourceIndex": 1, "targetId": "NEXT", "targetIndex": 0}


def asks(own: str, other: str, **fields) -> dict:
    """What the file of an agent holds whose skill `ask` asks another agent."""
    plugin = {
        "id": "NEXT",
        "name": "AgentPlugin",
        "data": {"agentId": other, **fields},
        "inputs": [{"name": "Prompt", "type": "Text"}],
        "outputs": [{"name": "Response", "default": True}],
    }
    return {"id": own, "name": own, "components": [ENTRY, plugin], "connections": [LINK]}


def write(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_file_gives_what_is_not_given_otherwise(tmp_path):
    path = write(tmp_path, "a.smyth", document(behavior="Be kind.", defaultModel="gpt-4o", teamId="ops"))
    agent = Agent.load(path)
    found = (agent.name, agent.id, agent.behavior, agent.model, agent.team)
    assert found == ("Greeter", "greeter", "Be kind.", "gpt-4o", "ops")
    assert agent.skills["greet"].description == "Greets somebody."
    own = {"name": "Other", "id": "other", "behavior": "", "model": "echo", "team": "default"}
    agent = Agent.load(str(path), **own)
    assert {name: getattr(agent, name) for name in own} == own


def test_a_file_without_a_name_or_id_is_called_after_itself(tmp_path):
    agent = Agent.load(write(tmp_path, "my-agent.smyth", {"components": [], "connections": []}))
    assert (agent.id, agent.name) == ("my-agent", "my-agent")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id": "a b"}, "illegal agent id"),
        ({"team": ""}, "illegal team id"),
        ({"model": 5}, "model cannot be 5"),
        ({"name": 5}, "the name of an agent cannot be 5"),
        ({"limits": 5}, "limits cannot be 5"),
        ({"models": "smollm3"}, "models cannot be 'smollm3'"),
        ({"models": {"gpt-4o": 5}}, "models cannot be {'gpt-4o': 5}"),
        ({"models": {5: "smollm3"}}, "models cannot be {5: 'smollm3'}"),
        ({"workflow_limits": {"runs": 5}}, "workflow_limits cannot be {'runs': 5}"),
        ({"compat": True}, "compat cannot be True"),
        ({"skills": "search"}, "skills cannot be 'search'"),
        ({"agents": Agent("x")}, "agents cannot be <Agent"),
    ],
)
def test_what_is_given_is_checked(given, message):
    with pytest.raises(ConfigError, match=message):
        Agent.load(document(), **given)


@pytest.mark.parametrize("source", [5, b"a.smyth", None, ["a.smyth"]])
def test_what_is_no_path_and_no_mapping_is_refused(source):
    with pytest.raises(ConfigError, match="the agent's file cannot be"):
        Agent.load(source)


@pytest.mark.parametrize("place", ["nothing.smyth", "", ".", "a\0b.smyth"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, place):
    with pytest.raises(ConfigError, match="cannot read the agent's file"):
        Agent.load(f"{tmp_path}/{place}")


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"components": 5}', "\xff\xfe", '{"components": [{}]}'])
def test_a_broken_file_says_what_is_wrong_with_it(tmp_path, text):
    path = tmp_path / "a.smyth"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidWorkflowError, match=r"a\.smyth cannot be used") as caught:
        Agent.load(path)
    assert caught.value.problems


def test_a_mapping_is_read_as_a_file_would_be():
    assert Agent.load(MappingProxyType(document())).skills.keys() == {"greet"}
    circle: dict = document()
    circle["self"] = circle
    for wrong in ({"id": {1, 2}}, {"components": [object()]}, circle):
        with pytest.raises(InvalidWorkflowError, match="this is no agent"):
            Agent.load(wrong)


def test_what_was_given_may_change_afterwards():
    given = document()
    agent = Agent.load(given)
    given["components"].clear()
    assert read_workflow(document()).nodes == agent.workflow.nodes


@pytest.mark.parametrize("exposed", [True, False])
async def test_an_endpoint_with_a_name_that_no_skill_can_have_is_left_out(runtime, caplog, exposed):
    wrong = {**ENTRY, "id": "WRONG", "data": {"endpoint": "a b", "ai_exposed": exposed}}
    whole = document()
    agent = Agent.load({**whole, "components": [*whole["components"], wrong]}, runtime=runtime)
    assert list(agent.skills) == ["greet"]
    assert (await agent.call("greet", who="Ada"))["name"] == "FHash"
    with pytest.raises(SkillError, match="has no skill 'a b'"):
        await agent.call("a b", q="x")
    told = [record.getMessage() for record in caplog.records if "endpoint_left_out" in record.getMessage()]
    assert len(told) == exposed
    assert all("WRONG" in one and "'a b'" in one for one in told)


async def test_skills_in_python_join_those_of_the_file(runtime):
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    agent = Agent.load(document(), skills=[add], runtime=runtime)
    assert list(agent.skills) == ["greet", "add"]
    assert await agent.call("add", a=1, b=2) == 3

    def greet(who: str) -> str:
        """The same name."""
        return who

    with pytest.raises(SkillError, match="already has a skill 'greet'"):
        Agent.load(document(), skills=[greet])


@pytest.mark.parametrize(
    ("models", "wanted"),
    [
        ({"gpt-4o": "one"}, "one"),
        ({"*": "all"}, "all"),
        ({"gpt-4o": "one", "*": "all"}, "one"),
        ({"o3": "x"}, "gpt-4o"),
    ],
)
def test_models_replaces_the_agents_own_model_too(models, wanted):
    assert Agent.load(document(defaultModel="gpt-4o"), models=models).model == wanted
    assert Agent.load(document(defaultModel="gpt-4o"), models=models, model="mine").model == "mine"
    assert Agent.load(document(), models=models).model is None


async def test_an_agent_finds_the_one_beside_it_by_its_id(echo_project, tmp_path):
    write(tmp_path, "some other name.smyth", document(behavior="Kind."))
    agent = Agent.load(write(tmp_path, "parent.smyth", asks("parent", "greeter")))
    found = await agent.call("ask", q='call greet {"who": "Ada"}')
    assert "HASH" in found["result"]["Response"]


async def test_an_agent_that_was_given_goes_before_a_file(echo_project, tmp_path):
    write(tmp_path, "greeter.smyth", document())

    def greet(who: str) -> str:
        """Greet."""
        return f"given {who}"

    given = Agent("Greeter", id="greeter", skills=[greet])
    agent = Agent.load(write(tmp_path, "parent.smyth", asks("parent", "greeter")), agents=[given])
    assert (await agent.call("ask", q='call greet {"who": "Ada"}'))["result"]["Response"] == "given Ada"


async def test_an_agent_that_was_given_is_known_to_those_that_are_found(echo_project, tmp_path):
    def shout(text: str) -> str:
        """Shout."""
        return text.upper()

    write(tmp_path, "middle.smyth", asks("middle", "last"))
    agent = Agent.load(asks_file(tmp_path, "parent", "middle"), agents=[Agent("Last", skills=[shout])])
    inner = json.dumps({"q": 'call shout {"text": "deep"}'})
    found = await agent.call("ask", q=f"call ask {inner}")
    assert "DEEP" in found["result"]["Response"]


def asks_file(folder, own, other):
    return write(folder, f"{own}.smyth", asks(own, other))


async def test_an_agent_that_is_missing_is_named_with_what_could_not_be_read(echo_project, tmp_path):
    write(tmp_path, "broken.smyth", "{")
    agent = Agent.load(asks_file(tmp_path, "parent", "nobody"))
    with pytest.raises(StepFailedError, match=r"no agent 'nobody' is known in .*cannot be read there: broken\.smyth"):
        await agent.call("ask", q="hi")
    with pytest.raises(StepFailedError, match="no agent 'nobody' is known"):
        await Agent.load(asks("parent", "nobody")).call("ask", q="hi")


async def test_of_files_with_one_id_the_first_is_taken_and_the_log_names_both(tmp_path, caplog):
    write(tmp_path, "b.smyth", {**document(id="two"), "name": "Copy"})
    write(tmp_path, "a.smyth", {**document(id="two"), "name": "First"})
    write(tmp_path, "c.smyth", document(id="three"))
    options = {"models": None, "limits": Limits(), "workflow_limits": None, "compat": None, "runtime": None}
    beside = Neighbours(tmp_path, [], Agent, model=None, **options)
    assert (await beside.find("two", "")).name == "First"
    assert (await beside.find("three", "")).id == "three"
    await beside.find("two", "")
    told = [record.msg for record in caplog.records if record.levelno == logging.WARNING]
    (line,) = [{name: line[name] for name in ("event", "agent", "taken", "others")} for line in told]
    assert line == {"event": "agent_in_several_files", "agent": "two", "taken": "a.smyth", "others": ["b.smyth"]}


async def test_agents_that_ask_each_other_in_a_circle_end(echo_project, tmp_path):
    write(tmp_path, "two.smyth", asks("two", "one", maxDepth=2))
    agent = Agent.load(write(tmp_path, "one.smyth", asks("one", "two", maxDepth=2)))
    prompt = "hi"
    for _ in range(4):
        prompt = f"call ask {json.dumps({'q': prompt})}"
    found = await agent.call("ask", q=prompt)
    assert "agents wait for each other already: one > two > one > two" in found["result"]["Response"]


async def test_a_neighbour_is_read_once_and_takes_what_its_finder_was_given(tmp_path):
    asks_file(tmp_path, "two", "one")
    me = Agent("One")
    options = {"models": {"*": "echo"}, "limits": me.limits, "workflow_limits": None, "compat": None, "runtime": None}
    beside = Neighbours(tmp_path, [me], Agent, model="mine", **options)
    found = await asyncio.gather(*(beside.find("two", "") for _ in range(5)))
    assert {one.model for one in found} == {"mine"}
    assert len({id(one.skills["ask"]) for one in [*found, await beside.find("two", "")]}) == 1
    assert (await beside.find("one", "latest")).name == "One"


def test_loading_opens_no_runtime_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sre.toml").write_text("nonsense = 1\n")
    agent = Agent.load(document())
    assert isinstance(agent._flow, Flow)
    assert not agent.is_attached


async def test_what_a_file_holds_is_loaded_as_text_too(runtime):
    agent = Agent.load(json.dumps(document()), runtime=runtime)
    assert list(agent.skills) == ["greet"]


async def test_other_agents_may_be_given_as_files(runtime, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "other.smyth").write_text(json.dumps({**document(), "id": "other"}))
    agent = Agent.load(document(), agents=[folder / "other.smyth"], runtime=runtime)
    found = await agent._flow.find_agent("other", "")
    assert (found.id, list(found.skills)) == ("other", ["greet"])
