"""Files of SmythOS become workflows, whatever way they say it in."""

import json
import time
from pathlib import Path

import pytest

from sre_core.components.node import InputPort, OutputPort
from sre_core.errors import InvalidWorkflowError
from sre_core.workflows import smyth
from sre_core.workflows.graph import Link
from tests.unit.sre_core.workflows.smyth_files import FOLDER, REAL, agent, component, endpoint, link, text


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_file_is_read_whole(path):
    content = json.loads(path.read_text())
    workflow = smyth.read_file(path)
    assert list(workflow.nodes) == [raw["id"] for raw in content["components"]]
    assert [node.type for node in workflow.nodes.values()] == [raw["name"] for raw in content["components"]]
    assert [(end.source, end.output, end.target, end.input) for end in workflow.links] == [
        (raw["sourceId"], raw["sourceIndex"], raw["targetId"], raw["targetIndex"]) for raw in content["connections"]
    ]
    assert workflow.path == str(path)


def test_a_real_file_says_what_it_says():
    workflow = smyth.read_file(FOLDER / "sre-echo-LLMPrompt.smyth")
    assert (workflow.id, workflow.name) == ("clxjao3wr030tewtu2rk2zh0d", "Untitled Agent")
    assert workflow.team == "clv1cv00t0001alug52hd69j8"
    assert list(workflow.endpoints) == ["say"]
    prompt = workflow.nodes["MC8YU6MSB7"]
    assert (prompt.type, prompt.label, prompt.title) == ("PromptGenerator", "LLM Prompt", "Echoing Spoken Words")
    assert prompt.data["prompt"] == "Saying : {{Input}}"
    assert prompt.inputs == (InputPort(name="Input"),)
    assert prompt.outputs == (OutputPort(name="Reply", default=True),)


def test_the_defaults_of_a_real_files_inputs_are_kept():
    workflow = smyth.read_file(FOLDER / "general-unit-tests.smyth")
    defaults = {port.name: port.default for node in workflow.nodes.values() for port in node.inputs}
    assert defaults["string"] == "Hello world"
    assert defaults["boolean"] is True


def test_a_wrapped_file_is_read_as_a_bare_one():
    bare = agent(endpoint(), component("S"), links=[link("E", "S", 1)], name="Ann")
    assert smyth.read(text({"data": bare, "version": "1.0.0"})) == smyth.read(text(bare))


def test_links_name_ports_by_position_or_by_name():
    made = agent(endpoint(), component("S"), links=[link("E", "S", "body.text", "Input"), link("E", "S", "1", 0.0)])
    assert smyth.read(text(made)).links == (Link(source="E", output=1, target="S", input=0),) * 2


def test_a_port_that_is_called_by_a_number_is_found_by_its_name_first():
    ports = [{"name": "1"}, {"name": "other"}]
    made = agent(component("A", outputs=ports), component("B"), links=[link("A", "B", "1")])
    assert smyth.read(text(made)).links[0].output == 0


def test_a_trigger_may_lead_to_an_endpoint_as_a_whole():
    made = agent(component("T", "GmailTrigger"), endpoint(), links=[link("T", "E", 0, -1)])
    assert smyth.read(text(made)).links == (Link(source="T", output=0, target="E", input=-1),)


def test_a_component_template_and_the_variables_are_kept():
    settings = {"K1": {"id": "K1", "label": "Api Key", "type": "Input", "value": "x"}}
    made = agent(component("T", template={"settings": settings}), variables={"city": "Bonn", "n": 3})
    workflow = smyth.read(text(made))
    assert workflow.nodes["T"].template == settings
    assert workflow.variables == {"city": "Bonn", "n": 3}


@pytest.mark.parametrize("value", [True, "true", "True", "1", 1])
def test_a_flag_may_be_text_or_a_number(value):
    made = component("A", inputs=[{"name": "x", "optional": value, "isFile": value}])
    port = smyth.read(text(agent(made))).nodes["A"].inputs[0]
    assert port.optional is True
    assert port.is_file is True


@pytest.mark.parametrize("value", [False, "false", "", "0", 0, None])
def test_a_flag_is_unset_in_as_many_ways(value):
    made = component("A", outputs=[{"name": "x", "default": value}])
    assert smyth.read(text(agent(made))).nodes["A"].outputs[0].default is False


def test_what_is_missing_or_null_has_a_plain_default():
    made = {"id": 7, "name": "Note", "inputs": None, "outputs": None, "data": None, "template": None, "title": None}
    workflow = smyth.read(text({"components": [made], "variables": None}))
    node = workflow.nodes["7"]
    assert (node.inputs, node.outputs, node.data, node.template, node.title) == ((), (), {}, {}, "")
    assert (workflow.id, workflow.team, workflow.model, workflow.links) == ("agent", "default", None, ())


def test_the_default_of_an_input_that_was_left_empty_is_none():
    made = component("A", inputs=[{"name": "x", "defaultVal": ""}, {"name": "y", "defaultVal": False}])
    assert [port.default for port in smyth.read(text(agent(made))).nodes["A"].inputs] == [None, False]


@pytest.mark.parametrize(("value", "model"), [("gpt-4o", "gpt-4o"), ({"modelId": "own", "provider": "X"}, "own")])
def test_the_default_model_is_a_name_or_an_entry_with_one(value, model):
    assert smyth.read(text(agent(defaultModel=value))).model == model


def test_an_agent_without_a_name_is_called_after_its_template():
    assert smyth.read(text(agent(templateInfo={"name": "Helper"}))).name == "Helper"
    assert smyth.read(text(agent(templateInfo={"name": "Helper"}, name="Ann"))).name == "Ann"


def test_an_agent_without_an_id_is_called_after_its_file():
    bare = text({"components": []})
    assert smyth.read(bare, path="agents/helper.smyth").id == "helper"
    assert smyth.read(bare, path="agents/my helper.smyth").id.startswith("my-helper-")
    assert smyth.read(bare, path="agents/helper.smyth", id="h2").id == "h2"


def test_an_illegal_id_becomes_a_legal_one_each_time_the_same():
    first, again = (smyth.read(text(agent() | {"id": "my agent!", "teamId": "../up"})) for _ in range(2))
    assert (first.id, first.team) == (again.id, again.team)
    assert first.id.startswith("my-agent-")
    assert first.team.startswith("up-")


def test_bytes_may_begin_with_a_mark_of_their_order():
    assert smyth.read(b"\xef\xbb\xbf" + text(agent()).encode()).id == "a1"


def test_a_wrong_file_is_named_with_all_of_its_problems():
    made = agent(component("A", data=3), component("A"), links=[link("A", "B")])
    with pytest.raises(InvalidWorkflowError) as caught:
        smyth.read(text(made), path="x/bad.smyth")
    assert caught.value.problems == (
        "components[0].data: must be an object, not a number (in 'The A', A)",
        "components[1].id: components[0] has the id 'A' already (in 'The A', A)",
        "connections[0].targetId: no component has the id 'B'",
    )
    assert caught.value.message.startswith("x/bad.smyth cannot be used: components[0].data: must be an object")
    assert caught.value.message.endswith(", and 2 more")


def test_the_work_of_reading_grows_no_faster_than_the_file():
    def seconds(count: int) -> float:
        components = [component(f"N{n}", data={"delay": "1"}, left="10px", top="20px") for n in range(count)]
        content = text(agent(*components, links=[link(f"N{n}", f"N{n + 1}") for n in range(count - 1)]))
        # Of this process alone, and the best of three: the machine may be busy.
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            workflow = smyth.read(content)
            best = min(best, time.process_time() - began)
        assert len(workflow.nodes) == count
        return best

    # Ten times the nodes: ten times the work, and not a hundred times.
    assert seconds(10_000) < 40 * max(seconds(1_000), 0.001)


def test_a_file_is_written_whole_and_in_its_place(tmp_path: Path):
    workflow = smyth.read_file(FOLDER / "subagent.smyth")
    place = tmp_path / "out.smyth"
    smyth.write_file(workflow, place)
    assert place.read_bytes() == (FOLDER / "subagent.smyth").read_bytes()
    assert names(tmp_path) == ["out.smyth"]


def test_a_file_keeps_its_permissions_and_the_link_to_it(tmp_path: Path):
    place, other = tmp_path / "real.smyth", tmp_path / "link.smyth"
    place.write_text("old")
    place.chmod(0o640)
    other.symlink_to(place)
    smyth.write_file(smyth.read(text(agent())), other, indent=2)
    assert other.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o640
    assert json.loads(place.read_text()) == agent()


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path):
    place = tmp_path / "agent.smyth"
    place.write_text("old")
    workflow = smyth.read(text(agent(component("A"))))
    workflow.nodes["A"].data["bad"] = object()
    with pytest.raises(InvalidWorkflowError, match="object is no JSON"):
        smyth.write_file(workflow, place)
    assert place.read_text() == "old"
    assert names(tmp_path) == ["agent.smyth"]


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_what_cannot_be_written_is_named_as_it_was_given(tmp_path: Path, folder: str):
    (tmp_path / "file").write_text("")
    place = tmp_path / folder / "agent.smyth"
    with pytest.raises((FileNotFoundError, NotADirectoryError)) as caught:
        smyth.write_file(smyth.read(text(agent())), place)
    assert (caught.value.filename, caught.value.filename2) == (str(place), None)
    assert names(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path: Path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match=r"[Ii]s a directory|denied"):
        smyth.write_file(smyth.read(text(agent())), tmp_path / "taken")
    assert names(tmp_path) == ["taken"]
