"""Agents into files: what comes back, and what no file can hold."""

import json

import pytest

from sre_core.errors import AgentError, InvalidWorkflowError
from sre_core.workflows.check import check
from sre_sdk import Agent, Component, Model
from tests.unit.sre_sdk.flows import document


def built(**options) -> Agent:
    agent = Agent("Notary", **options)
    entry = agent.endpoint("seal", inputs={"text": str, "n": int}, description="Seals.", method="GET")
    entry.input("n", optional=True, default=3, description="how often")
    digest = Component.FHash(algorithm="md5", encoding="hex").connect(Data=entry.out.query.text)
    Component.APIOutput(format="minimal").connect(seal=digest.out.Hash, n=entry.out.query.n)
    hidden = agent.endpoint("inner", exposed=False, inputs={"q": "Object"})
    hidden.output("first", path="body.q.items[0]")
    Component.APIOutput(format="minimal").connect(x=hidden.out.first.id)
    Component.APIOutput(title="Failed").connect(why=digest.out._error)
    return agent


async def test_a_workflow_made_in_python_comes_back_as_it_was(runtime, tmp_path):
    agent = built(behavior="Be exact.", model="echo", team="ops", runtime=runtime)
    agent.save(tmp_path / "notary.smyth")
    again = Agent.load(tmp_path / "notary.smyth", runtime=runtime)
    for name in ("name", "id", "behavior", "model", "team"):
        assert getattr(again, name) == getattr(agent, name)
    assert again.workflow.nodes == agent.workflow.nodes
    assert again.workflow.links == agent.workflow.links
    assert again.skills["seal"].spec == agent.skills["seal"].spec
    assert again.skills.keys() == {"seal"}
    assert await again.call("seal", text="x") == await agent.call("seal", text="x")
    assert (await again.call("seal", text="x"))["n"] == 3
    assert await again.call("inner", q={"items": [{"id": 7}]}) == {"x": 7}


async def test_what_was_made_in_python_has_nothing_that_the_check_finds(runtime, tmp_path):
    built().save(tmp_path / "notary.smyth")
    workflow = Agent.load(tmp_path / "notary.smyth").workflow
    assert [problem for problem in check(workflow, runtime.plugins.component) if problem.severity == "error"] == []


def test_saving_twice_writes_the_same(tmp_path):
    agent = built()
    agent.save(tmp_path / "one.smyth")
    agent.save(tmp_path / "two.smyth")
    Agent.load(tmp_path / "one.smyth").save(tmp_path / "three.smyth")
    texts = [(tmp_path / f"{name}.smyth").read_text() for name in ("one", "two", "three")]
    assert texts[0] == texts[1] == texts[2]


def test_what_was_given_in_place_of_the_file_is_written(tmp_path):
    unknown = {"mystery": {"deep": [1, None]}, "debugSessionEnabled": True}
    agent = Agent.load(document(**unknown), name="Other", id="other", behavior="New.", model=Model.echo(), team="ops")
    agent.save(tmp_path / "other.smyth")
    written = json.loads((tmp_path / "other.smyth").read_text())
    own = {"name": "Other", "id": "other", "behavior": "New.", "defaultModel": "echo", "teamId": "ops"}
    assert written == document(**unknown, **own)


async def test_an_extended_agent_keeps_what_the_file_had_and_has_what_is_new(runtime, tmp_path):
    path = tmp_path / "greeter.smyth"
    path.write_text(json.dumps(document(mystery=1)))
    agent = Agent.load(path, runtime=runtime)
    entry = agent.endpoint("shout", inputs={"what": str})
    Component.FHash(algorithm="md5").connect(Data=entry.out.body.what)
    agent.save(path)
    written = json.loads(path.read_text())
    assert written["mystery"] == 1
    assert written["components"][:2] == document()["components"]
    again = Agent.load(path, runtime=runtime)
    assert list(again.skills) == ["greet", "shout"]
    assert await again.call("shout", what="x") == await agent.call("shout", what="x")


def test_an_agent_without_a_workflow_is_saved_too(tmp_path):
    Agent("Bob", behavior="Be brief.", model="echo").save(tmp_path / "bob.smyth")
    agent = Agent.load(tmp_path / "bob.smyth")
    assert (agent.name, agent.behavior, agent.model, dict(agent.skills)) == ("Bob", "Be brief.", "echo", {})


def test_skills_in_python_are_refused_and_the_old_file_stays(tmp_path):
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    path = tmp_path / "bob.smyth"
    path.write_text("old")
    for skill, name in ((add, "add"), ("search", "search")):
        with pytest.raises(AgentError, match=f"agent 'bob' has skills that are Python functions: {name}"):
            Agent("Bob", skills=[skill]).save(path)
    assert path.read_text() == "old"


def test_a_setting_that_no_file_can_hold_is_refused_and_nothing_is_left(tmp_path):
    agent = built()
    entry = agent.endpoint("more", inputs={"q": str})
    Component.APIOutput().connect(a=entry.out.body.q, b=object())
    with pytest.raises(InvalidWorkflowError, match="the workflow cannot be written"):
        agent.save(tmp_path / "a.smyth")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere/a\.smyth'$"):
        built().save(tmp_path / "nowhere" / "a.smyth")
