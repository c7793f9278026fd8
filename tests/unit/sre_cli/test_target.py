"""The agent on the command line is found in files, packages and modules, or its absence explained."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sre_cli.target import load_agent
from sre_core.errors import InvalidWorkflowError
from tests.unit.sre_cli.files import echoing, write

ONE = "from sre_sdk import Agent\nagent = Agent('one')\nsame = agent\n_hidden = Agent('hidden')\n"
TWO = "from sre_sdk import Agent\nfirst = Agent('first')\nsecond = Agent('second')\n"


@pytest.fixture(autouse=True)
def _imports_are_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_the_only_agent_of_a_file_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(ONE)
    assert load_agent("bot.py").name == "one"


def test_an_agent_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(TWO)
    assert load_agent("bot.py:second").name == "second"
    assert load_agent(f"{tmp_path / 'bot.py'}:first").name == "first"


def test_several_agents_are_listed(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(TWO)
    with pytest.raises(click.UsageError, match=r"several agents. Choose one of: bot.py:first, bot.py:second"):
        load_agent("bot.py")


def test_a_file_without_an_agent_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("x = 1\n")
    with pytest.raises(click.UsageError, match=r"no agent. Make one"):
        load_agent("bot.py")


@pytest.mark.parametrize(("name", "problem"), [("third", "has no 'third'"), ("Agent", "something else than an agent")])
def test_a_wrong_name_lists_the_right_ones(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "bot.py").write_text(TWO)
    with pytest.raises(click.UsageError, match=problem) as refused:
        load_agent(f"bot.py:{name}")
    assert "bot.py:first" in refused.value.message


@pytest.mark.parametrize(
    "target", ["missing.py", "missing.py:agent", "no_such_module", "no_such.module:agent", "a b", "", ":"]
)
def test_what_is_not_there_is_a_wrong_usage(target: str) -> None:
    with pytest.raises(click.UsageError, match="No such file"):
        load_agent(target)


def test_a_module_is_found_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "bots_module.py").write_text(ONE)
    assert load_agent("bots_module:agent").name == "one"


def test_a_file_of_a_package_may_import_its_neighbours(tmp_path: Path) -> None:
    package = tmp_path / "outer_pkg" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package.parent / "names.py").write_text("NAME = 'neighbour'\n")
    (package / "bot.py").write_text("from sre_sdk import Agent\nfrom ..names import NAME\nagent = Agent(NAME)\n")
    assert load_agent("outer_pkg/inner/bot.py").name == "neighbour"


def test_a_file_may_import_the_files_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "words_beside.py").write_text("NAME = 'beside'\n")
    (folder / "bot.py").write_text("from sre_sdk import Agent\nfrom words_beside import NAME\nagent = Agent(NAME)\n")
    assert load_agent("app/bot.py").name == "beside"


def test_a_file_called_like_a_module_is_still_the_file(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(ONE)
    assert load_agent("json.py").name == "one"


def test_a_file_with_a_dash_in_its_name_is_fine(tmp_path: Path) -> None:
    (tmp_path / "my-bot.py").write_text(ONE)
    assert load_agent("my-bot.py:agent").name == "one"


def test_an_import_that_fails_inside_the_file_is_not_taken_for_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "broken_bot.py").write_text("import no_such_thing_at_all\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_at_all"):
        load_agent("broken_bot.py")
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_at_all"):
        load_agent("broken_bot:agent")


def test_a_file_of_bytes_is_named(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_bytes(b"x = 1\x00\n")
    with pytest.raises(click.UsageError, match=r"bot.py' is no Python file"):
        load_agent("bot.py")


@pytest.mark.parametrize("target", ["bot.json", "bot.json:agent", "bot", "inner/bot.json"])
def test_a_workflow_by_another_name_says_how_it_must_end(tmp_path: Path, target: str) -> None:
    path = tmp_path / target.removesuffix(":agent")
    path.parent.mkdir(exist_ok=True)
    if path.parent != tmp_path:
        (path.parent / "__init__.py").touch()
    path.write_text("\ufeff\n{}", "utf-8")
    with pytest.raises(click.UsageError, match=r"no Python file; the file of a workflow must end in \.smyth"):
        load_agent(target)


@pytest.mark.parametrize("name", ["bot.smyth", "BOT.SMYTH"])
def test_a_file_of_smythos_is_one_agent(tmp_path: Path, name: str) -> None:
    write(tmp_path, echoing(), name)
    assert load_agent(name).id == "echoer"
    with pytest.raises(click.UsageError, match=r"A \.smyth file has one agent"):
        load_agent(f"{name}:agent")
    for missing in (f"no-{name}", f"{tmp_path}/folder/{name}"):
        with pytest.raises(click.UsageError, match="No such file"):
            load_agent(missing)


def test_a_broken_file_of_smythos_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bot.smyth").write_text("{")
    with pytest.raises(InvalidWorkflowError, match=r"bot\.smyth cannot be used"):
        load_agent("bot.smyth")


def test_agents_in_python_have_no_seconds_of_a_command(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(ONE)
    with pytest.raises(click.UsageError, match="--seconds is for"):
        load_agent("bot.py", seconds=5)
