"""`sre graph` draws a workflow, in the terminal and into a file."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from tests.unit.sre_cli.commands.test_validate import ENDPOINT, LINK, SLEEP, write

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def agent(project: Path) -> Path:
    other = {**ENDPOINT, "id": "F", "title": "Other", "data": {"endpoint": "other"}}
    return write(project, ENDPOINT, SLEEP, other, links=[LINK])


def graph(*arguments: str, columns: str = "100", charset: str = "utf-8") -> Result:
    return CliRunner(charset=charset).invoke(cli, ["graph", *arguments], env={"COLUMNS": columns})


def test_a_workflow_is_drawn(agent: Path) -> None:
    result = graph("agent.smyth")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "┌─────────────┐    ┌────────┐",
        "│ Ask         │    │ Wait   │",
        "│ APIEndpoint │    │ FSleep │",
        "│        body ├─┐  │        │",
        "│             │ └─▶┤ Input  │",
        "└─────────────┘    └────────┘",
        "┌─────────────┐",
        "│ Other       │",
        "│ APIEndpoint │",
        "└─────────────┘",
    ]


def test_a_narrow_terminal_gets_a_list(agent: Path) -> None:
    assert graph("agent.smyth", columns="20").stdout.splitlines()[0] == "Ask (APIEndpoint)"


def test_a_terminal_without_such_characters_gets_a_list(agent: Path) -> None:
    result = graph("agent.smyth", charset="ascii")
    assert result.stdout.splitlines()[:2] == ["Ask (APIEndpoint)", "  body as Input -> Wait (FSleep)"]


def test_one_skill_is_drawn_alone(agent: Path) -> None:
    assert "Other" not in graph("agent.smyth", "--skill", "ask").stdout
    result = graph("agent.smyth", "--skill", "aks")
    assert result.exit_code == 1
    assert "did you mean 'ask'?" in result.stderr


def test_an_svg_picture_is_written(agent: Path) -> None:
    result = graph("agent.smyth", "--svg", "out.svg")
    assert result.stdout == "The picture is in out.svg.\n"
    root = ET.fromstring((agent.parent / "out.svg").read_text(encoding="utf-8"))
    assert len(root.findall(f"{SVG}g")) == 3


def test_an_svg_picture_goes_to_standard_output(agent: Path) -> None:
    root = ET.fromstring(graph("agent.smyth", "--svg", "-", "--skill", "ask").stdout)
    assert len(root.findall(f"{SVG}g")) == 2


def test_a_picture_does_not_take_the_place_of_its_workflow(agent: Path) -> None:
    before = agent.read_bytes()
    result = graph("agent.smyth", "--svg", str(agent))
    assert result.exit_code == 2
    assert "is a file that is read here" in result.stderr
    assert agent.read_bytes() == before


def test_a_broken_file_says_what_is_wrong(project: Path) -> None:
    (project / "bad.smyth").write_text(json.dumps({"components": 3}))
    result = graph("bad.smyth")
    assert result.exit_code == 1
    assert "bad.smyth cannot be used: components: must be a list, not a number" in result.stderr
    assert "sre validate" in result.stderr
