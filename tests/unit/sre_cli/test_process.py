"""`sre` as a process of its own: what only shows there, from exit codes to closed pipes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.sre_cli.files import echoing, jobs, write

SMYTH = Path(__file__).parents[2] / "data" / "smyth"
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_"))}


def sre(*arguments: str, folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sre_cli", *arguments],
        cwd=folder,
        env=ENVIRON | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def start(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "sre_cli", *arguments],
        cwd=folder,
        env=ENVIRON,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_help_and_version_load_no_runtime(tmp_path: Path) -> None:
    heavy = ("pydantic", "rich", "structlog", "opentelemetry", "pluggy", "aiohttp", "numpy", "sre_core.config")
    for option in ("--help", "--version"):
        code = (
            "import sys\nfrom sre_cli.main import cli\n"
            f"try:\n    cli([{option!r}])\nexcept SystemExit as done:\n    code = done.code\n"
            f"print([name for name in {heavy!r} if name in sys.modules], code)"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[] 0"


def test_the_command_of_smythos_works_as_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "sre.toml").touch()
    (tmp_path / "vault.json").write_text('{"default": {"openai": "sk-4711", "echo": ""}}')
    file, models = SMYTH / "crypto-info-agent.smyth", SMYTH / "models.json"
    files = ["--vault", "vault.json", "--models", str(models)]
    result = sre("agent", str(file), "--prompt", "Hello there", "echo", *files, folder=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "Hello there\n", "")


def test_an_error_in_the_users_file_names_the_line_without_a_traceback(project: Path) -> None:
    (project / "agent.py").write_text("x = 1\n1 / 0\n")
    result = sre("run", "agent.py", "Hi", folder=project)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ZeroDivisionError: division by zero (")
    assert "agent.py, line 2)" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback(project: Path, place: str) -> None:
    (project / "agent.py").write_text("1 / 0\n")
    arguments = ["run", "agent.py", "Hi"]
    arguments = ["--debug", *arguments] if place == "before" else [*arguments, "--debug"]
    result = sre(*arguments, folder=project)
    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_debug_keeps_the_exit_code_of_the_error(project: Path) -> None:
    result = sre("run", "agent.py", "Hi", "--model", "echo/loud", "--debug", folder=project)
    assert result.returncode == 5
    assert "Traceback" in result.stderr
    assert "'loud'" in result.stderr


def test_an_unknown_command_is_a_wrong_usage(project: Path) -> None:
    result = sre("danse", folder=project)
    assert result.returncode == 2
    assert "No such command 'danse'" in result.stderr


def test_a_misspelt_command_is_answered_with_the_near_one(project: Path) -> None:
    result = sre("rnu", folder=project)
    assert result.returncode == 2
    assert "No such command 'rnu'. Did you mean 'run'?" in result.stderr


def test_colours_are_for_terminals_only(project: Path) -> None:
    result = sre("run", "agent.py", 'call add {"a": 1, "b": 2}', folder=project)
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_quietly_with_130(project: Path) -> None:
    (project / "agent.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(600)\n")
    with start("run", "agent.py", "Hi", folder=project) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "")


def test_ctrl_c_while_the_runtime_is_being_loaded_ends_quietly_with_130(project: Path) -> None:
    program = (
        "import sys\nfrom sre_core import logs\nfrom sre_cli.main import main\n"
        "def interrupt():\n    raise KeyboardInterrupt\n\nlogs.configure = interrupt\n"
        "sys.argv = ['sre', 'config']\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_a_skill_that_waits(project: Path) -> None:
    (project / "agent.py").write_text(
        "import asyncio\nfrom sre_sdk import Agent\nagent = Agent('a')\n\n@agent.skill\nasync def wait() -> str:\n"
        "    'Wait.'\n    print('here', flush=True)\n    await asyncio.sleep(600)\n    return 'done'\n"
    )
    with start("run", "agent.py", "call wait {}", folder=project) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_a_call_and_its_jobs_and_the_trace_is_kept(project: Path) -> None:
    content = jobs()
    content["components"][2] = {**content["components"][2], "name": "FSleep", "data": {"delay": "600"}}
    write(project, content)
    with start("call", "agent.smyth", "ask", "a=1", "--trace", "out.json", folder=project) as process:
        assert process.stdout is not None
        # The job still runs when its id is printed.
        assert process.stdout.readline() == "{\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    trace = json.loads((project / "out.json").read_text())
    assert trace["error"] == "KeyboardInterrupt"
    assert trace["result"]["a"].startswith("JOB-")


def test_what_no_encoding_has_is_printed_and_traced(project: Path) -> None:
    write(project, echoing())
    result = sre("call", "agent.smyth", "ask", "--arguments", '{"a": "\\ud800"}', "--trace", "out.json", folder=project)
    assert (result.returncode, json.loads(result.stdout)) == (0, {"a": "?", "b": "-"}), result.stderr
    assert json.loads((project / "out.json").read_text())["result"] == {"a": "?", "b": "-"}


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", [["config"], ["run", "agent.py", "word " * 20_000]])
def test_a_closed_pipe_is_no_news(project: Path, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "sre_cli", *arguments],
        cwd=project,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""


def test_completion_knows_the_commands(project: Path) -> None:
    result = sre(folder=project, _SRE_COMPLETE="bash_complete", COMP_WORDS="sre pl", COMP_CWORD="1")
    assert "plain,plugins" in result.stdout
