"""Asking another agent: what it is given, what comes back, and where circles end."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from sre_core.components.context import SubAgent
from sre_core.components.node import OutputPort
from sre_core.errors import ComponentError, NotFoundError
from sre_core.messages import Message, SkillCall
from sre_core.plugins import Plugins
from sre_core.skills import Skill
from sre_core.testing import ScriptedLLM
from sre_core.testing.bench import bench


def weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: sunny"


CLERK = SubAgent(
    id="clerk", name="Clerk", behavior="You answer politely.", skills={"weather": Skill.from_function(weather)}
)
CALL = Message.assistant(skill_calls=(SkillCall(id="c1", name="weather", arguments='{"city": "Lyon"}'),))


def find(*agents):
    """A directory of agents that keeps what it was asked for."""
    asked = []

    async def find_agent(id_, version):
        asked.append((id_, version))
        for agent in agents:
            if agent.id == id_:
                return agent
        raise NotFoundError(f"no agent {id_!r}")

    find_agent.asked = asked
    return find_agent


def scripted(llm, find_agent, **kwargs):
    """A bench with a model that follows a script."""
    return bench(
        plugins=Plugins.load(only=[], extra={"scripted": llm.as_plugin()}),
        config={"connectors": {"llm": {"default": {"use": "scripted"}}}},
        model="default/scripted",
        find_agent=find_agent,
        **kwargs,
    )


async def ask(place, data=None, prompt="How is it in Lyon?", outputs=(), **inputs):
    data = {"agentId": "clerk", **(data or {})}
    return await place.run("AgentPlugin", data, inputs={"Prompt": prompt, **inputs}, outputs=outputs)


async def test_the_agent_answers_with_its_own_skills_and_behavior():
    llm = ScriptedLLM(CALL, "Sunny, I am pleased to say.")
    async with scripted(llm, find(CLERK)) as place:
        outputs = await ask(place, {"descForModel": "Speak of the {{what}}."}, what="weather")
    assert outputs == {"Response": "Sunny, I am pleased to say."}
    first, second = llm.requests
    assert [spec.name for spec in first.skills] == ["weather"]
    told = str(first)
    assert "You answer politely." in told
    assert "Your name is Clerk." in told
    assert "Speak of the weather." in told
    assert "Lyon: sunny" in str(second)


async def test_it_is_asked_for_by_id_and_version():
    directory = find(CLERK)
    async with bench(find_agent=directory) as place:
        await ask(place, {"version": "dev-latest"})
    assert directory.asked == [("clerk", "dev-latest")]


async def test_the_prompt_is_all_that_it_is_told():
    llm = ScriptedLLM("Yes.")
    async with scripted(llm, find(CLERK), secrets={"k": "hush"}, variables={"v": "hush"}) as place:
        await ask(place, prompt="{{KEY(k)}} {{v}}")
    assert "{{KEY(k)}} {{v}}" in str(llm.request)
    assert "hush" not in str(llm.request)


@pytest.mark.parametrize("prompt", ["", "  ", None])
async def test_without_a_prompt_nobody_is_asked(prompt):
    directory = find(CLERK)
    async with bench(find_agent=directory) as place:
        with pytest.raises(ComponentError, match="nothing to ask"):
            await ask(place, prompt=prompt)
    assert not directory.asked


async def test_an_agent_that_is_unknown_is_named():
    async with bench(find_agent=find()) as place:
        with pytest.raises(NotFoundError, match="'clerk'"):
            await ask(place)


async def test_an_input_cannot_choose_the_agent():
    directory = find(CLERK)
    async with bench(find_agent=directory) as place:
        with pytest.raises(NotFoundError):
            await place.run("AgentPlugin", {"agentId": "{{who}}"}, inputs={"Prompt": "hi", "who": "clerk"})
    assert directory.asked == [("{{who}}", "")]


CITY = OutputPort(name="city", description="where it is")
DEGREES = OutputPort(name="Degrees", expression="Response.weather.degrees")


@pytest.mark.parametrize(
    "answer",
    ['{"city": "Lyon", "weather": {"degrees": 0}}', '```json\n{"city": "Lyon", "weather": {"degrees": 0}}\n```'],
)
async def test_outputs_of_the_author_are_taken_from_the_answer(answer):
    llm = ScriptedLLM(answer)
    async with scripted(llm, find(CLERK)) as place:
        outputs = await ask(place, outputs=[CITY, DEGREES])
    assert outputs == {"Response": {"city": "Lyon", "weather": {"degrees": 0}}, "city": "Lyon", "Degrees": 0}
    assert "'city' (where it is)" in str(llm.request)
    assert "'weather.degrees'" in str(llm.request)


async def test_an_output_that_the_answer_lacks_stays_absent():
    async with scripted(ScriptedLLM('{"city": null}'), find(CLERK)) as place:
        outputs = await ask(place, outputs=[CITY, DEGREES])
    assert outputs == {"Response": {"city": None}, "city": None}


async def test_an_answer_in_prose_is_given_with_an_error():
    async with scripted(ScriptedLLM("It is nice."), find(CLERK)) as place:
        outputs = await ask(place, outputs=[CITY])
    assert outputs["Response"] == "It is nice."
    assert "there is no city" in outputs["_error"]


def circle(place, **data):
    """An agent whose one skill asks the same agent again."""

    async def again() -> str:
        """Ask again."""
        return str((await ask(place, data))["Response"])

    return replace(CLERK, skills={"again": Skill.from_function(again)})


async def test_a_circle_ends_with_an_error_that_shows_it():
    def reply(request):
        last = request.messages[-1]
        if last.role == "skill":
            return last.text
        return Message.assistant(skill_calls=(SkillCall(id="c1", name="again", arguments="{}"),))

    agents = []
    async with scripted(ScriptedLLM(reply, repeat=True), find_late(agents)) as place:
        agents.append(circle(place, maxDepth="3"))
        outputs = await ask(place, {"maxDepth": "3"})
        assert "3 agents wait for each other already: a1 > clerk > clerk > clerk > clerk" in outputs["Response"]
        # The chain is over: the next one begins anew.
        assert "3 agents wait" in (await ask(place, {"maxDepth": "3"}))["Response"]


def find_late(agents):
    async def find_agent(id_, version):
        return agents[0]

    return find_agent


async def test_the_limit_counts_agents_that_wait_and_not_those_that_were_asked():
    async with bench(find_agent=find(CLERK)) as place:
        for _ in range(20):
            assert (await ask(place, {"maxDepth": 1}))["Response"]


@pytest.mark.parametrize("data", [{"agentId": ""}, {"agentId": "x" * 201}, {"maxDepth": 0}])
async def test_settings_that_cannot_be_are_refused(data):
    async with bench() as place:
        with pytest.raises(ValidationError):
            await ask(place, data)


async def test_a_model_of_the_node_comes_before_the_agent_s_own():
    async with bench(find_agent=find(replace(CLERK, model="nowhere/none"))) as place:
        assert (await ask(place, {"model": "echo"}))["Response"]
        assert (await ask(place, {"openAiModel": "Echo"}))["Response"]
