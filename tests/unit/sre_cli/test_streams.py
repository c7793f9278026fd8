"""What goes in and out of `sre` as bytes: odd locales, closed streams, text that is none."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_", "LC_", "LANG"))}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
UNCHANGED: Mapping[str, str] = {}


def sre(
    folder: Path, *arguments: str | bytes, data: bytes = b"", environ: Mapping[str, str] = UNCHANGED
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "sre_cli", *arguments],
        cwd=folder,
        env={**ENVIRON, **environ},
        input=data,
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("environ", [{}, ASCII], ids=["utf-8", "ascii"])
def test_text_is_utf_8_in_every_locale(project: Path, environ: dict[str, str]) -> None:
    text = "Grüße → ☃"
    for result in (
        sre(project, "run", "agent.py", text.encode(), environ=environ),
        sre(project, "run", "agent.py", data=text.encode(), environ=environ),
        sre(project, "chat", "agent.py", data=text.encode(), environ=environ),
    ):
        assert (result.returncode, result.stderr) == (0, b"")
        assert result.stdout.decode().strip() == text


@pytest.mark.skipif(os.name == "nt", reason="arguments are text there")
def test_a_prompt_that_is_not_utf_8_is_a_wrong_usage(project: Path) -> None:
    for result in (
        sre(project, "run", "agent.py", b"caf\xe9"),
        sre(project, "run", "agent.py", data=b"caf\xe9"),
        sre(project, "chat", "agent.py", data=b"caf\xe9\n"),
        sre(project, "vault", "set", "name", data=b"caf\xe9"),
    ):
        assert result.returncode == 2
        assert b"is no text: byte 3 is not UTF-8." in result.stderr
        assert b"Traceback" not in result.stderr


def test_half_of_a_surrogate_pair_breaks_no_output(project: Path) -> None:
    file = project / "agent.py"
    file.write_text(file.read_text() + '\n\n@agent.skill\ndef half() -> str:\n    "Half."\n    return "a\\ud800b"\n')
    result = sre(project, "run", "agent.py", "call half {}")
    assert (result.returncode, result.stdout) == (0, b"a?b\n")


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("run agent.py hi >&-", 0),
        ("config >&-", 0),
        ("run agent.py <&-", 2),
        ("chat agent.py <&-", 0),
        ("create notes --yes <&-", 0),
        ("run nothing.py hi 2>&-", 2),
    ],
)
def test_closed_streams_are_no_failure_of_their_own(project: Path, command: str, code: int) -> None:
    shell = ["sh", "-c", f'"$PYTHON" -m sre_cli {command}']
    result = subprocess.run(
        shell, cwd=project, env=ENVIRON | {"PYTHON": sys.executable}, capture_output=True, timeout=300, check=False
    )
    assert result.returncode == code
    assert b"NoneType" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("command", ["run agent.py hi", "config", "--help"])
def test_output_that_finds_no_room_is_a_failure(project: Path, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "sre_cli", *command.split()],
            cwd=project,
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=300,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr.strip() == b"Error: No space left on device"
