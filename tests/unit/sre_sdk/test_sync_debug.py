"""Debugging without async: a session that stands still between two calls."""

import pytest

from sre_core.errors import ConfigError, LimitExceededError, SkillError, WorkflowError
from sre_sdk import Agent, Component, WorkflowLimits, sync
from tests.unit.sre_sdk.flows import asking, document


def test_a_run_is_gone_through_step_by_step(make_sync_runtime):
    with make_sync_runtime() as runtime:
        agent = sync.Agent.load(document(), runtime=runtime)
        with agent.debug("greet", {"who": "Ada"}) as session:
            assert [record.node_id for record in session.pending] == ["IN"]
            assert session.step().node_id == "IN"
            assert session.ready()
            session.inject("HASH", inputs={"Data": "Bob"})
            assert session.pending[0].inputs == {"Data": "Bob"}
            record = session.step()
            assert (record.node_id, record.inputs) == ("HASH", {"Data": "Bob"})
            assert not session.ready()
            assert session.step() is None
            outcome = session.finish()
        assert outcome.data == agent.execute("greet", {"who": "Bob"}).data
    assert [record.node_id for record in session.steps] == ["IN", "HASH"]


def test_without_a_runtime_one_is_open_for_the_block(echo_project):
    agent, _, _ = asking()
    with agent.sync.debug("ask", {"q": "x"}) as session:
        session.inject("LOOK1", outputs={"Seen": "given"})
        assert session.finish().data["result"] == {"Seen": "given"}


def test_leaving_early_ends_the_run(make_sync_runtime):
    with make_sync_runtime() as runtime:
        with sync.Agent.load(document(), runtime=runtime).debug("greet", {"who": "Ada"}) as session:
            session.step()
        assert [record.node_id for record in session.steps] == ["IN"]


@pytest.mark.parametrize("use", ["step", "finish", "ready", "pending"])
def test_outside_of_the_block_nothing_goes_on_and_the_hint_says_where(make_sync_runtime, use):
    def work(session):
        found = getattr(session, use)
        return found() if callable(found) else found

    with make_sync_runtime() as runtime:
        session = sync.Agent.load(document(), runtime=runtime).debug("greet", {"who": "Ada"})
        with pytest.raises(WorkflowError, match="not open") as caught:
            work(session)
        assert "with agent.debug" in caught.value.hint
        with session:
            pass
        with pytest.raises(WorkflowError, match="not open"):
            work(session)


def test_an_unknown_endpoint_or_port_is_refused(make_sync_runtime):
    with make_sync_runtime() as runtime:
        agent = sync.Agent.load(document(), runtime=runtime)
        with pytest.raises(SkillError, match="has no endpoint 'gret'"), agent.debug("gret"):
            raise AssertionError
        session = agent.debug("greet", {"who": "Ada"})
        with session, pytest.raises(WorkflowError, match="has no output 'Hsah'"):
            session.inject("HASH", outputs={"Hsah": 1})


def test_what_ends_the_run_comes_out_of_the_step(make_sync_runtime):
    with make_sync_runtime() as runtime:
        agent = sync.Agent.load(document(), workflow_limits=WorkflowLimits(runs=1), runtime=runtime)
        part = Component.FHash(algorithm="md5")
        part.connect(Data=agent.endpoint("ask", inputs={"q": str}).out.body.q)
        part.connect(Data=part.out.Hash)
        with agent.debug("ask", {"q": "x"}) as session:
            session.step()
            session.step()
            with pytest.raises(LimitExceededError):
                session.step()


async def test_an_agent_in_an_async_runtime_is_debugged_with_async(runtime):
    agent = Agent.load(document(), runtime=runtime)
    with pytest.raises(ConfigError, match="async runtime"), agent.sync.debug("greet", {"who": "Ada"}):
        raise AssertionError
