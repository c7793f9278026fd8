"""What an agent has of its workflow: endpoints that are hidden or shown, clashes of names, debugging."""

import pytest

from sre_core.errors import AgentError, ConfigError, InvalidWorkflowError, SkillError, WorkflowError
from sre_sdk import Agent, Component, sync
from tests.unit.sre_sdk.flows import Look, asking, document, seen


def ask(q: str) -> str:
    """A skill in Python."""
    return f"python {q}"


async def test_a_hidden_endpoint_is_called_but_shown_to_no_model(make_runtime):
    made, llm = make_runtime("Hello.")
    async with made as runtime:
        agent = Agent("Bob", runtime=runtime)
        entry = agent.endpoint("ask", inputs={"q": str}, exposed=False)
        Component.of(Look).connect(q=entry.out.body.q)
        await agent.prompt("Hi")
        assert llm.requests[0].skills == ()
        assert "ask" not in agent.skills
        assert seen(await agent.call("ask", q="x"))["inputs"] == {"q": "x"}


async def test_skills_in_python_stand_beside_endpoints(runtime):
    agent, _, _ = asking(runtime=runtime)

    @agent.skill
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    assert list(agent.skills) == ["ask", "add"]
    assert await agent.call("add", a=1, b=2) == 3
    assert (await agent.call("ask", q="x"))["name"] == "Look"


@pytest.mark.parametrize("exposed", [True, False])
def test_an_endpoint_and_a_function_cannot_have_one_name(exposed):
    agent = Agent("Bob")
    agent.endpoint("ask", exposed=exposed)
    with pytest.raises(SkillError, match="already has a skill 'ask'"):
        agent.add_skill(ask)
    with pytest.raises(SkillError, match="already has a skill 'ask'"):
        agent.endpoint("ask")


@pytest.mark.parametrize("exposed", [True, False])
def test_an_endpoint_that_is_refused_leaves_nothing_behind(exposed):
    agent = Agent("Bob", skills=[ask])
    with pytest.raises(SkillError, match="already has a skill 'ask'"):
        agent.endpoint("ask", exposed=exposed)
    assert agent.workflow is None


async def test_an_endpoint_that_was_removed_is_no_skill_any_more(runtime):
    agent, _, _ = asking(runtime=runtime)
    agent.remove_skill("ask")
    with pytest.raises(SkillError, match="has no skill 'ask'"):
        await agent.call("ask", q="x")
    assert (await agent.execute("ask", {"q": "x"})).has_result
    agent.add_skill(ask)
    assert await agent.call("ask", q="x") == "python x"


def test_what_is_said_of_an_input_later_is_in_the_schema():
    agent, entry, _ = asking()
    entry.input("limit", int, optional=True, description="how many")
    schema = agent.skills["ask"].parameters
    assert schema["properties"] == {"q": {"type": "string"}, "limit": {"type": "integer", "description": "how many"}}
    assert schema["required"] == ["q"]


async def test_a_model_is_shown_what_was_said_last(make_runtime):
    made, llm = make_runtime("Hello.")
    async with made as runtime:
        agent, entry, _ = asking(runtime=runtime)
        entry.input("limit", int, optional=True)
        await agent.prompt("Hi")
        assert "limit" in llm.requests[0].skills[0].parameters["properties"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"inputs": {"q": "Strnig"}}, "no port has the type 'Strnig'"),
        ({"inputs": {"q": ""}}, "no port has the type ''"),
        ({"methd": "GET"}, "APIEndpoint has no setting 'methd'"),
        ({"method": "PUT"}, "the settings of APIEndpoint are wrong"),
    ],
)
def test_an_endpoint_with_a_typo_is_refused(given, message):
    agent = Agent("Bob")
    with pytest.raises(WorkflowError, match=message):
        agent.endpoint("ask", **given)
    assert agent.workflow is None


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 51, "ä"])
def test_an_endpoint_with_an_illegal_name_is_refused(name):
    with pytest.raises(InvalidWorkflowError, match="the settings of APIEndpoint are wrong"):
        Agent("Bob").endpoint(name)


def test_title_and_id_of_an_endpoint_may_be_chosen():
    part = Agent("Bob").endpoint("ask", title="Ask me", node_id="IN")
    assert (part.node.title, part.node.id) == ("Ask me", "IN")


async def test_an_agent_without_a_workflow_says_so(runtime):
    agent = Agent("Bob", runtime=runtime)
    assert agent.workflow is None
    with pytest.raises(AgentError, match="agent 'bob' has no workflow"):
        await agent.execute("ask")
    with pytest.raises(SkillError, match="has no skill 'ask'"):
        await agent.call("ask")


async def test_a_session_of_debugging_steps_through_the_endpoint(runtime):
    agent, _, _ = asking(runtime=runtime)
    async with agent.debug("ask", {"q": "x"}, session="s") as session:
        first = await session.step()
        session.inject("LOOK1", inputs={"q": "y"})
        second = await session.step()
        outcome = await session.finish()
    assert [first.node_id, second.node_id] == ["APIENDPOINT1", "LOOK1"]
    assert seen(outcome.data)["inputs"] == {"q": "y"}
    assert seen(outcome.data)["session"] == "s"


async def test_a_session_of_debugging_refuses_nodes_and_ports_that_are_not_there(runtime):
    agent, _, _ = asking(runtime=runtime)
    async with agent.debug("ask", {"q": "x"}) as session:
        with pytest.raises(WorkflowError, match="has no node 'LOKO1'") as caught:
            session.inject("LOKO1", inputs={"q": "y"})
        assert caught.value.hint == "did you mean 'LOOK1'?"
        with pytest.raises(WorkflowError, match="has no output 'Sene'"):
            session.inject("LOOK1", outputs={"Sene": 1})
        assert seen((await session.finish()).data)["inputs"] == {"q": "x"}


@pytest.mark.parametrize("wrong", ["q", ["q"], 5])
async def test_inputs_and_arguments_that_are_no_mapping_are_refused(runtime, wrong):
    agent, _, _ = asking(runtime=runtime)
    with pytest.raises(ConfigError, match="inputs cannot be"):
        agent.endpoint("more", inputs=wrong)
    with pytest.raises(ConfigError, match="arguments cannot be"):
        await agent.execute("ask", wrong)
    with pytest.raises(ConfigError, match="arguments cannot be"):
        agent.debug("ask", wrong)
    assert list(agent.workflow.endpoints) == ["ask"]


async def test_debugging_an_unknown_endpoint_raises_at_once_with_those_that_there_are(runtime):
    agent, _, _ = asking(runtime=runtime)
    with pytest.raises(SkillError, match="has no endpoint 'aks'") as caught:
        async with agent.debug("aks"):
            raise AssertionError
    assert caught.value.hint == "its endpoints: ask"


def test_the_sync_face_calls_builds_and_saves(make_sync_runtime, tmp_path):
    with make_sync_runtime() as runtime:
        agent = sync.Agent("Bob", runtime=runtime)
        entry = agent.endpoint("ask", inputs={"q": str})
        Component.FHash(algorithm="md5").connect(Data=entry.out.body.q)
        agent.save(tmp_path / "bob.smyth")
        again = sync.Agent.load(tmp_path / "bob.smyth", runtime=runtime)
        assert again.call("ask", q="x") == agent.call("ask", q="x")
        assert again.execute("ask", {"q": "x"}).data == agent.call("ask", q="x")
        assert again.workflow.nodes.keys() == agent.workflow.nodes.keys()


async def test_a_loaded_agent_takes_more_endpoints(runtime, tmp_path):
    agent = Agent.load(document(), runtime=runtime)
    entry = agent.endpoint("shout", inputs={"what": str})
    Component.of(Look).connect(what=entry.out.body.what)
    assert list(agent.skills) == ["greet", "shout"]
    assert seen(await agent.call("shout", what="x"))["inputs"] == {"what": "x"}
    assert (await agent.call("greet", who="Ada"))["name"] == "FHash"
    with pytest.raises(SkillError, match="already has a skill 'greet'"):
        agent.endpoint("greet")
