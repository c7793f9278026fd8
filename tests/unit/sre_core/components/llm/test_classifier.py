"""Which branches fire is what the model says."""

import pytest

from sre_core.components.llm.classifier import Classifier
from sre_core.components.node import Node, OutputPort
from sre_core.errors import ComponentError
from sre_core.messages import MessageRole
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM

PORTS = [OutputPort(name="Praise", description="The customer is happy."), OutputPort(name="Complaint")]


async def test_only_the_categories_that_fit_fire(scripted):
    llm = ScriptedLLM('{"Praise": true, "Complaint": false}')
    async with scripted(llm) as b:
        found = await b.run("Classifier", {"prompt": "Sort mails."}, inputs={"Input": "Thanks!"}, outputs=PORTS)
    assert found == {"Praise": True}
    system, user = llm.request.messages
    assert system.role is MessageRole.SYSTEM
    assert "Sort mails." in system.text
    assert "The customer is happy." in system.text
    assert (user.role, user.text) == (MessageRole.USER, "Thanks!")
    assert llm.request.output_schema["properties"] == {
        "Praise": {"type": "boolean", "description": "The customer is happy."},
        "Complaint": {"type": "boolean"},
    }


async def test_outputs_that_a_file_calls_default_are_categories_too(scripted):
    ports = [OutputPort(name="Praise", default=True), OutputPort(name="_error", default=True)]
    async with scripted(ScriptedLLM('{"Praise": true}')) as b:
        assert await b.run("Classifier", inputs={"Input": "x"}, outputs=ports) == {"Praise": True}


async def test_several_may_fit_and_a_reason_is_a_value(scripted):
    async with scripted(ScriptedLLM('{"Praise": "says thanks", "Complaint": 1}')) as b:
        found = await b.run("Classifier", inputs={"Input": "x"}, outputs=PORTS)
    assert found == {"Praise": "says thanks", "Complaint": 1}


@pytest.mark.parametrize("no", ["false", '"false"', '"No"', '""', "null", "0"])
async def test_a_no_in_any_form_does_not_fire(scripted, no):
    async with scripted(ScriptedLLM(f'{{"Praise": {no}}}')) as b:
        assert await b.run("Classifier", inputs={"Input": "x"}, outputs=PORTS) == {}


@pytest.mark.parametrize(
    "reply", ["Praise", ' "praise". ', '["Praise"]', '{"praise ": true}', "```\n{Praise: true}\n```"]
)
async def test_a_small_model_may_answer_loosely(scripted, reply):
    async with scripted(ScriptedLLM(reply, capabilities=())) as b:
        assert await b.run("Classifier", inputs={"Input": "x"}, outputs=PORTS) == {"Praise": True}


async def test_a_model_without_schemas_is_told_the_form(scripted):
    llm = ScriptedLLM("{}", capabilities=())
    async with scripted(llm) as b:
        assert await b.run("Classifier", inputs={"Input": "x"}, outputs=PORTS) == {}
    assert '"Praise": "<true or false> (The customer is happy.)"' in llm.request.messages[0].text


async def test_an_answer_that_names_no_category_is_an_error(scripted):
    async with scripted(ScriptedLLM("I cannot say.")) as b:
        with pytest.raises(ComponentError, match="I cannot say"):
            await b.run("Classifier", inputs={"Input": "x"}, outputs=PORTS)


async def test_braces_quotes_and_placeholders_of_the_input_arrive_as_they_are(scripted):
    said = '{"Praise": true} {{KEY(code)}} `x` <[<('
    llm = ScriptedLLM("{}")
    async with scripted(llm, secrets={"code": "42"}) as b:
        await b.run("Classifier", {"prompt": "About {{Input}}"}, inputs={"Input": said}, outputs=PORTS)
    assert llm.request.messages[1].text == said
    assert f"About {said}" in llm.request.messages[0].text


async def test_several_inputs_go_with_their_names(scripted):
    llm = ScriptedLLM("{}")
    async with scripted(llm) as b:
        await b.run("Classifier", inputs={"Input": "a", "Mail": {"from": "b"}}, outputs=PORTS)
    assert llm.request.messages[1].text == 'Input:\na\n\nMail:\n{"from":"b"}'


async def test_echo_takes_the_input_for_its_answer():
    async with bench() as b:
        found = await b.run("Classifier", inputs={"Input": '{"Complaint": true}'}, outputs=PORTS)
    assert found == {"Complaint": True}


async def test_names_of_categories_are_no_paths(scripted):
    async with scripted(ScriptedLLM('{"v1.0": true, "Not sure [yet]": false}')) as b:
        found = await b.run("Classifier", inputs={"Input": "x"}, outputs=["v1.0", "Not sure [yet]", "_error"])
    assert found == {"v1.0": True}


async def test_no_categories_and_no_input_are_errors():
    async with bench() as b:
        with pytest.raises(ComponentError, match="no categories"):
            await b.run("Classifier", inputs={"Input": "x"})
        with pytest.raises(ComponentError, match="nothing to classify"):
            await b.run("Classifier", inputs={"Input": None}, outputs=PORTS)


async def test_sampling_reaches_the_model(scripted):
    llm = ScriptedLLM("{}")
    async with scripted(llm) as b:
        await b.run("Classifier", {"temperature": "0", "maxTokens": 20}, inputs={"Input": "x"}, outputs=PORTS)
    assert (llm.request.temperature, llm.request.max_tokens) == (0, 20)


def test_a_node_without_categories_is_found_before_it_runs():
    node = Node(id="N", type="Classifier")
    assert Classifier.of(node).check() == ["there are no categories: add an output for each"]
    assert Classifier.of(Node(id="N", type="Classifier", outputs=tuple(PORTS))).check() == []
