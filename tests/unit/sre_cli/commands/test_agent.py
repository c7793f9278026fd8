"""`sre agent` takes the flags of SmythOS's command of that name."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from tests.unit.sre_cli.files import echoing, prompting, write


def agent(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["agent", *arguments], input=text)


@pytest.mark.parametrize("flag", ["--skill", "-s"])
def test_a_skill_is_called(project: Path, flag: str) -> None:
    write(project, echoing())
    result = agent("agent.smyth", flag, "ask", "a=1", "b=x=y")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"a": 1, "b": "x=y"}


@pytest.mark.parametrize("words", [["--prompt", "Hello"], ["-p", "Hello"], ["--prompt", "Hello", "echo"]])
def test_a_prompt_is_answered_by_the_agents_model_or_by_another(project: Path, words: list[str]) -> None:
    write(project, echoing())
    result = agent("agent.smyth", *words)
    assert (result.exit_code, result.stdout) == (0, "Hello\n"), result.output


@pytest.mark.parametrize("flags", [["--chat"], ["-c"], [], ["--chat", "echo"]])
def test_without_another_flag_it_is_a_chat(project: Path, flags: list[str]) -> None:
    write(project, echoing())
    result = agent("agent.smyth", *flags, text="One\nTwo\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["One", "Two"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["agent.smyth", "--chat", "--prompt", "x"], "Give one of --skill, --prompt and --chat"),
        (["agent.smyth", "--prompt", "x", "echo", "more"], "One model may follow --prompt, not 2"),
        (["agent.smyth", "--prompt", ""], "The prompt is empty"),
        (["nothing.smyth", "--chat"], "No such file"),
        ([], "Missing argument 'FILE'"),
    ],
)
def test_a_wrong_usage_exits_with_two(project: Path, words: list[str], message: str) -> None:
    write(project, echoing())
    result = agent(*words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_fails_is_no_success(project: Path) -> None:
    write(project, echoing())
    assert agent("agent.smyth", "--skill", "aks").exit_code == 1
    assert agent("agent.smyth", "--prompt", "x", "echo/loud").exit_code == 5


VAULT = {"default": {"word": "swordfish-1", "other": "swordfish-2"}, "ops": {"word": "swordfish-3"}}
MODELS = {"their-model": {"provider": "Echo", "modelId": "echo"}}
WAYS = [["--prompt", "Hello", "their-model"], ["--chat", "their-model"], ["--skill", "ask", "a=Hello"]]


def telling(name: str = "word", team: str = "ops") -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` tells a secret, through a model that echoes."""
    found = prompting("echo")
    found["components"][1]["data"]["prompt"] = f"{{{{KEY({name})}}}}"
    return {**found, "teamId": team}


def reply(result: Result) -> str:
    """What such a skill told."""
    assert result.exit_code == 0, result.output
    told: str = json.loads(result.stdout)["result"]["Reply"]
    return told


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("flag", ["--vault", "-v"])
@pytest.mark.parametrize(
    ("name", "team", "secret"),
    [("word", "ops", "swordfish-3"), ("other", "ops", "swordfish-2"), ("word", "clx7unknown", "swordfish-1")],
)
def test_a_vault_file_gives_the_team_its_keys_and_those_of_the_team_default(
    project: Path, flag: str, name: str, team: str, secret: str
) -> None:
    put(project, "vault.json", VAULT)
    write(project, telling(name, team))
    assert reply(agent("agent.smyth", "--skill", "ask", "a=1", flag, "vault.json")) == secret


def test_without_a_vault_file_the_secret_is_denied_with_both_ways_to_give_it(project: Path) -> None:
    write(project, telling())
    result = agent("agent.smyth", "--skill", "ask", "a=1")
    assert result.exit_code == 1
    assert '"vault/word" = { "agent:echoer" = "read" }' in result.stderr
    assert "sre vault set team/ops/word" in result.stderr


def test_a_secret_that_was_kept_for_the_team_is_read(project: Path) -> None:
    write(project, telling())
    kept = CliRunner().invoke(cli, ["vault", "set", "team/ops/word"], input="ours")
    assert kept.exit_code == 0, kept.output
    assert reply(agent("agent.smyth", "--skill", "ask", "a=1")) == "ours"


@pytest.mark.parametrize("place", ["models.json", "models", "deep/er/models.json"])
@pytest.mark.parametrize("words", WAYS)
@pytest.mark.parametrize("flag", ["--models", "-M"])
def test_models_of_a_file_or_folder_are_known(project: Path, words: list[str], place: str, flag: str) -> None:
    put(project, f"{place}/a.json" if place == "models" else place, MODELS)
    write(project, prompting("their-model"))
    result = agent("agent.smyth", *words, flag, place, text="Hello\n")
    if "--skill" in words:
        assert reply(result) == "Say Hello"
    else:
        assert (result.exit_code, result.stdout) == (0, "Hello\n"), result.output


def test_models_may_be_named_in_all_ways_at_once_and_beside_those_of_sre_toml(project: Path) -> None:
    settings = (project / "sre.toml").read_text()
    (project / "sre.toml").write_text(f'model_files = ["own"]\n{settings}')
    put(project, "own/a.json", {"own-model": MODELS["their-model"]})
    put(project, "models.json", MODELS)
    put(project, "more.json", {"third": MODELS["their-model"]})
    write(project, prompting("nowhere"))
    files = ["-M", "models.json", "-M", "more.json", "-M", "own/a.json", "-v", str(put(project, "vault.json", VAULT))]
    for model in ("own-model", "their-model", "third"):
        assert reply(agent("agent.smyth", "--skill", "ask", "a=1", *files, "-M", f"nowhere={model}")) == "Say 1"
        assert agent("agent.smyth", "-p", "Hello", model, *files).stdout == "Hello\n"


def test_paths_are_relative_to_where_the_command_was_typed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(project, "work/vault.json", VAULT)
    put(project, "work/.sre/models.json", MODELS)
    write(project / "work", telling())
    monkeypatch.chdir(project / "work")
    files = ["-v", "vault.json", "-M", ".sre/models.json", "-M", "echo=their-model"]
    assert reply(agent("agent.smyth", "-s", "ask", "a=1", *files)) == "swordfish-3"


@pytest.mark.parametrize("words", [*WAYS, ["--skill", "no-such-skill"]])
@pytest.mark.parametrize(
    ("flag", "content", "code", "message"),
    [
        ("--vault", None, 2, "'given.json' does not exist"),
        ("--vault", '{"ops": {"word": "swordfish-3"', 5, "vault file 'given.json' is not valid JSON"),
        ("--vault", {"ops": "swordfish-3"}, 5, "the keys of team 'ops' in vault file 'given.json' are no table"),
        ("--models", None, 2, "No such file or folder of models: 'given.json'"),
        ("--models", '{"m": {"modelId": "swordfish-3"', 3, "given.json is not valid JSON"),
        ("--models", {"m": {"provider": "Nobody", "modelId": "x"}}, 3, "'Nobody' is not known"),
    ],
)
def test_a_file_that_is_missing_or_malformed_is_an_error_before_anything_runs(
    project: Path, words: list[str], flag: str, content: Any, code: int, message: str
) -> None:
    if content is not None:
        put(project, "given.json", content)
    write(project, prompting("echo"))
    result = agent("agent.smyth", *words, flag, "given.json", text="Hello\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert "swordfish" not in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["agent.smyth", "-M", "=x"], "A model is written as NAME=VALUE"),
        (["agent.smyth", "-M", "a=x", "-M", "a=y"], "A model called 'a' is given twice"),
        (["agent.smyth", "-M", ""], "No such file or folder of models: ''"),
        (["agent.smyth", "-M", "x" * 5000], "No such file or folder of models"),
        (["agent.smyth", "-v", "."], "'.' is a directory"),
        (["agent.py", "-v", "vault.json"], "are for .smyth files"),
        (["agent.py", "-M", "models.json"], "are for .smyth files"),
        (["agent.py", "-M", "a=b"], "--models is for .smyth files"),
    ],
)
def test_a_wrong_word_for_a_file_is_a_wrong_usage(project: Path, words: list[str], message: str) -> None:
    put(project, "vault.json", VAULT)
    put(project, "models.json", MODELS)
    write(project, echoing())
    result = agent(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
