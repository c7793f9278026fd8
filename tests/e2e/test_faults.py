"""What becomes of stored chats when the disk is full, and when two processes talk at once."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sre_core.messages import MessageRole
from sre_sdk import Agent

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="limits and shells of POSIX")]

CHAT = [sys.executable, "-m", "sre_cli", "chat", "agent.py", "--session", "s"]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_"))}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sre.toml").write_text('[connectors.llm.default]\nuse = "echo"\n')
    (tmp_path / "agent.py").write_text('from sre_sdk import Agent\n\nagent = Agent("tester")\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chat(project: Path, *prompts: str, command: list[str] = CHAT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=project,
        env=ENVIRON,
        input="".join(f"{prompt}\n" for prompt in prompts),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


async def prompts_kept() -> list[str]:
    messages = await Agent("tester").chat("s").messages()
    return [message.text for message in messages if message.role is MessageRole.USER]


async def test_a_full_disk_fails_the_turn_and_keeps_the_turns_before(project: Path) -> None:
    assert chat(project, "first").returncode == 0
    limited = ["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", *CHAT]
    result = chat(project, "second", "long " * 20_000, "never asked", command=limited)
    assert result.returncode == 5
    assert "no room is left" in result.stderr
    assert "Hint: free some space" in result.stderr
    assert "Traceback" not in result.stderr
    assert await prompts_kept() == ["first", "second"]
    assert chat(project, "third").returncode == 0
    assert await prompts_kept() == ["first", "second", "third"]


async def test_two_processes_in_one_chat_lose_no_turn(project: Path) -> None:
    asked = {name: [f"{name}{number}" for number in range(10)] for name in ("a", "b")}
    results = await asyncio.gather(*(asyncio.to_thread(chat, project, *prompts) for prompts in asked.values()))
    for result, prompts in zip(results, asked.values(), strict=True):
        assert result.returncode == 0
        assert result.stdout.split() == prompts
    kept = await prompts_kept()
    assert sorted(kept) == sorted(asked["a"] + asked["b"])
    assert [prompt for prompt in kept if prompt[0] == "a"] == asked["a"]
