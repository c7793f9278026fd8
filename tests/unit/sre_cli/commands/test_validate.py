"""`sre validate` names everything that is wrong, for people and for programs."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sre_cli.main import cli

SLEEP = {
    "id": "S",
    "name": "FSleep",
    "title": "Wait",
    "inputs": [{"name": "Input"}],
    "outputs": [{"name": "Output", "default": True}],
    "data": {"delay": "1"},
}
ENDPOINT = {
    "id": "E",
    "name": "APIEndpoint",
    "title": "Ask",
    "outputs": [{"name": "body", "default": True}],
    "data": {"endpoint": "ask"},
}
LINK = {"sourceId": "E", "sourceIndex": 0, "targetId": "S", "targetIndex": 0}


def write(folder: Path, *components: Any, links: Any = (), name: str = "agent.smyth") -> Path:
    path = folder / name
    path.write_text(json.dumps({"components": components, "connections": links}))
    return path


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["validate", *arguments])


def test_a_sound_file_has_no_problems(project: Path) -> None:
    write(project, ENDPOINT, SLEEP, links=[LINK])
    result = validate("agent.smyth")
    assert (result.exit_code, result.stdout) == (0, "agent.smyth: no problems\n")


def test_errors_are_listed_and_exit_with_1(project: Path) -> None:
    write(project, ENDPOINT, {**SLEEP, "name": "FSlep"}, {**SLEEP, "id": "T", "data": []}, links=[LINK])
    result = validate("agent.smyth")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "error    components[2].data: must be an object, not a list (in 'Wait', T)",
        "error    components[1].name: no component 'FSlep' is installed (in 'Wait', S); did you mean 'FSleep'?",
        "warning  components[2]: no endpoint or trigger leads here, so it never runs (in 'Wait', T)",
        "agent.smyth: 2 errors, 1 warning",
    ]


def test_a_link_to_an_input_that_no_component_of_the_type_has_is_an_error(project: Path) -> None:
    write(project, ENDPOINT, {**SLEEP, "inputs": [{"name": "Inptu"}]}, links=[LINK])
    result = validate("agent.smyth")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        (
            "error    components[1].inputs[0].name: the type 'FSleep' has no input 'Inptu' (in 'Wait', S);"
            " did you mean 'Input'?"
        ),
        "agent.smyth: 1 error",
    ]


def test_warnings_alone_exit_with_0_unless_strict(project: Path) -> None:
    write(project, SLEEP)
    assert validate("agent.smyth").exit_code == 0
    assert validate("--strict", "agent.smyth").exit_code == 1


def test_several_files_are_checked_at_once(project: Path) -> None:
    write(project, ENDPOINT, SLEEP, links=[LINK], name="good.smyth")
    (project / "bad.smyth").write_text("{")
    result = validate("good.smyth", "bad.smyth")
    assert result.exit_code == 1
    assert "good.smyth: no problems" in result.stdout
    assert "error    this is not JSON" in result.stdout


def test_programs_get_json(project: Path) -> None:
    write(project, ENDPOINT, {**SLEEP, "data": {"delay": "x"}}, links=[LINK])
    result = validate("agent.smyth", "--json")
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)
    assert (found["file"], found["valid"]) == ("agent.smyth", False)
    (problem,) = found["problems"]
    assert (problem["severity"], problem["path"], problem["node_id"]) == ("error", "components[1].data.delay", "S")


def test_a_file_cannot_command_the_terminal(project: Path) -> None:
    write(project, {**SLEEP, "id": "\x1b[2J", "title": "\x1b[31m", "data": 1})
    shown = validate("agent.smyth").output
    assert "\x1b" not in shown
    assert r"'\x1b[31m', \x1b[2J" in shown


def test_a_file_that_is_not_there_is_wrong_usage(project: Path) -> None:
    assert validate("nothing.smyth").exit_code == 2
    assert validate().exit_code == 2
