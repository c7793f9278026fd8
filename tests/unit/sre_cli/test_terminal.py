"""What happens at a terminal: questions, hidden input, colours and Ctrl-C."""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.sre_cli.files import echoing, jobs, write

pty = pytest.importorskip("pty", reason="pseudo-terminals of POSIX")

PATIENCE = 120.0


Open = Callable[..., "Terminal"]


class Terminal:
    """A process whose three streams are a terminal of its own."""

    def __init__(self, arguments: list[str], folder: Path, environ: dict[str, str]) -> None:
        self.seen = ""
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "sre_cli", *arguments], environ)

    def expect(self, text: str) -> None:
        """Read until `text` has come; forget what came before its end."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(end - time.monotonic(), 0))
            assert ready, f"waited in vain for {text!r}, got {self.seen!r}"
            assert self._read(), f"ended without {text!r}: {self.seen!r}"
        self.seen = self.seen.partition(text)[2]

    def send(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def finish(self, *, nudge: str = "") -> tuple[int, str]:
        """Read to the end; the exit code, and what came since the last `expect`.

        `nudge` is sent again while nothing comes: Python's input() misses a Ctrl-C that it gets as it begins to read.
        Once a line has ended, it was heard; one more could hit a process that is ending, and takes its time.
        """
        end = time.monotonic() + PATIENCE
        quiet, nudged = 1.0, -1
        while True:
            ready, _, _ = select.select([self.fd], [], [], quiet)
            assert time.monotonic() < end, f"does not end: {self.seen!r}"
            if ready and not self._read():
                break
            if not ready and nudge and (nudged < 0 or "\n" not in self.seen[nudged:]):
                self.send(nudge)
                quiet, nudged = quiet * 2, len(self.seen)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status, self.seen

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _read(self) -> bool:
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # Linux says so when the other end is closed
            data = b""
        self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminal(project: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **environ: str) -> Terminal:
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_", "NO_COLOR"))}
        opened.append(Terminal(list(arguments), project, plain | {"TERM": "xterm-256color"} | environ))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def test_create_asks_for_what_is_missing(terminal: Open, project: Path) -> None:
    session = terminal("create")
    session.expect("Name of the project: ")
    session.send("1st\n")
    session.expect("illegal project name")
    session.expect("Name of the project: ")
    session.send("notes\n")
    session.expect("[agent]: ")
    session.send("\n")
    session.expect("[notes]: ")
    session.send(".\n")
    session.expect("is not empty")
    session.expect("[notes]: ")
    session.send("my/notes\n")
    session.expect("[smollm]: ")
    session.send("no model\n")
    session.expect("illegal model 'no model'")
    session.expect("[smollm]: ")
    session.send("echo\n")
    code, shown = session.finish()
    assert code == 0, shown
    assert 'use = "echo"' in (project / "my" / "notes" / "sre.toml").read_text()


def test_ctrl_c_at_a_question_leaves_nothing_behind(terminal: Open, project: Path) -> None:
    before = sorted(project.iterdir())
    session = terminal("create", "notes")
    session.expect("[agent]: ")
    code, shown = session.finish(nudge="\x03")
    assert code == 130
    assert "Traceback" not in shown
    assert sorted(project.iterdir()) == before


def test_a_secret_is_not_shown_while_it_is_typed(terminal: Open) -> None:
    session = terminal("vault", "set", "openai")
    session.expect("Secret 'openai': ")
    session.send("sk-4711\n")
    code, shown = session.finish()
    assert code == 0, shown
    assert "sk-4711" not in shown


def test_a_terminal_obeys_neither_an_agent_nor_its_answers(terminal: Open, project: Path) -> None:
    (project / "odd.py").write_text(
        "from sre_sdk import Agent\n\n"
        'agent = Agent("Odd\\x1b[2J", model="echo")\n\n\n'
        "@agent.skill\n"
        "def title() -> str:\n"
        '    return "\\x1b]0;title\\x07"\n'
    )
    assert terminal("call", "odd.py", "title").finish() == (0, "\\x1b]0;title\\x07\n")
    session = terminal("chat", "odd.py", NO_COLOR="1")
    session.expect("Odd\\x1b[2J: /help")
    session.expect("> ")
    session.send("say \x9b31m\n")
    session.expect("say \\x9b31m\n")


def test_chat_answers_until_ctrl_d(terminal: Open) -> None:
    session = terminal("chat", "agent.py", NO_COLOR="1")
    session.expect("> ")
    session.send("Hello terminal\n")
    session.expect("Hello terminal\n")  # typed
    session.expect("Hello terminal\n")  # answered
    session.expect("> ")
    session.send("\x04")
    code, shown = session.finish()
    assert code == 0, shown
    assert "Traceback" not in shown


def test_a_failed_answer_does_not_end_a_typed_chat(terminal: Open) -> None:
    session = terminal("chat", "agent.py", "--model", "echo/loud")
    session.expect("> ")
    session.send("Hello\n")
    session.expect("'loud'")
    session.expect("> ")
    session.send("/exit\n")
    assert session.finish()[0] == 0


def test_ctrl_c_stops_an_answer_and_not_the_chat(terminal: Open, project: Path) -> None:
    (project / "agent.py").write_text(
        "import asyncio\nfrom sre_sdk import Agent\nagent = Agent('a')\n\n@agent.skill\nasync def wait() -> str:\n"
        "    'Wait.'\n    print('waiting', flush=True)\n    await asyncio.sleep(600)\n    return 'done'\n"
    )
    session = terminal("chat", "agent.py")
    session.expect("> ")
    session.send("call wait {}\n")
    session.expect("waiting\n")
    session.send("\x03")
    session.expect("stopped")
    session.expect("> ")
    code, shown = session.finish(nudge="\x03")
    assert code == 130
    assert "Traceback" not in shown


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_is_honoured(terminal: Open, environ: dict[str, str], coloured: bool) -> None:
    session = terminal("run", "agent.py", 'call add {"a": 1, "b": 2}', **environ)
    code, shown = session.finish()
    assert code == 0, shown
    assert ("\x1b[" in shown) is coloured


def test_a_missing_prompt_is_not_waited_for_at_a_terminal(terminal: Open) -> None:
    session = terminal("run", "agent.py")
    code, shown = session.finish()
    assert code == 2
    assert "PROMPT" in shown


def test_a_copy_says_how_much_it_is_and_asks_before_it_begins(terminal: Open, project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write('[connectors.vault.other]\nuse = "file"\npath = "other"\nkey_file = "vault.key"\n')
    for name in ("openai", "groq"):
        session = terminal("vault", "set", name)
        session.expect(f"Secret '{name}': ")
        session.send("sk-4711\n")
        assert session.finish()[0] == 0
    for answer, code, there in (("n", 130, False), ("y", 0, True)):
        session = terminal("vault", "copy", "default", "other")
        session.expect("Copy 2 secrets (groq, openai) from vault:default (file) to vault:other (file)? [y/N]: ")
        session.send(f"{answer}\n")
        found, shown = session.finish()
        assert found == code, shown
        assert ("copied    2 secrets" in shown) is there
        assert (project / "other").exists() is there
        assert "sk-4711" not in shown


def test_debug_stops_before_each_node_and_takes_commands(terminal: Open, project: Path) -> None:
    write(project, echoing())
    session = terminal("debug", "agent.smyth", "ask", "a=1", NO_COLOR="1")
    session.expect("→ Ask (IN)")
    session.expect("(step) ")
    session.send("h\n")
    session.expect("run the next node")
    session.expect("(step) ")
    session.send("what now\n")
    session.expect("There is no command 'what'; there is:")
    session.expect("(step) ")
    for words in ("i OUT=2", "o OUT"):
        session.send(f"{words}\n")
        session.expect(f"Write it as {words[0]} NODE NAME=VALUE.")
        session.expect("(step) ")
    session.send("i NOWHERE a=2\n")
    session.expect("There is no node 'NOWHERE'; there is IN, OUT.")
    session.expect("(step) ")
    session.send("i OUT a\n")
    session.expect("written as NAME=VALUE")
    session.expect("(step) ")
    session.send('i OUT a="x = y"\n')
    session.expect("(step) ")
    session.send("i OUT b=[3]\n")
    session.expect("(step) ")
    session.send("\n")
    session.expect("→ Answer (OUT)")
    session.expect('{"a": "x = y", "b": [3]}')
    session.expect("(step) ")
    session.send("i OUT b=4\n")
    session.expect('→ Answer (OUT)  {"a": "x = y", "b": 4}')
    session.expect("(step) ")
    session.send("o OUT Outptu=5\n")
    session.expect("did you mean 'Output'?")
    session.expect("(step) ")
    session.send("i OUT b=[3]\n")
    session.expect("(step) ")
    session.send("n\n")
    session.expect("OUT  Answer")
    session.expect("(step) ")
    session.send("s\n")
    code, shown = session.finish()
    assert code == 0, shown
    assert json.loads(shown[shown.index("\n{") :]) == {"a": "x = y", "b": [3]}


def test_debug_goes_on_to_the_end_at_the_end_of_the_input(terminal: Open, project: Path) -> None:
    write(project, echoing())
    for command in ("c\n", "\x04"):
        session = terminal("debug", "agent.smyth", "ask", "a=1", NO_COLOR="1")
        session.expect("(step) ")
        session.send(command)
        code, shown = session.finish()
        assert code == 0, shown
        assert '"a": 1' in shown


def test_debug_asks_nothing_about_a_skill_that_is_not_there(terminal: Open, project: Path) -> None:
    write(project, echoing())
    session = terminal("debug", "agent.smyth", "aks", NO_COLOR="1")
    code, shown = session.finish()
    assert code == 1
    assert "(step)" not in shown
    assert "has no endpoint 'aks'" in shown


def test_debug_is_left_by_q_also_while_a_job_stands_before_a_node(terminal: Open, project: Path) -> None:
    write(project, jobs())
    session = terminal("debug", "agent.smyth", "ask", "a=1", NO_COLOR="1")
    for title in ("Ask", "Later"):
        session.expect(f"→ {title}")
        session.expect("(step) ")
        session.send("\n")
    session.expect("→ ")
    session.expect("(step) ")
    session.send("q\n")
    code, shown = session.finish()
    assert code == 0, shown


def test_ctrl_c_leaves_debug_at_a_question_and_within_a_step(terminal: Open, project: Path) -> None:
    content = echoing()
    content["components"][1] = {
        **content["components"][1],
        "name": "FSleep",
        "data": {"delay": "600"},
    }
    write(project, content)
    session = terminal("debug", "agent.smyth", "ask", "a=1", NO_COLOR="1")
    session.expect("(step) ")
    code, shown = session.finish(nudge="\x03")
    assert code == 130
    assert "Traceback" not in shown
    session = terminal("debug", "agent.smyth", "ask", "a=1", NO_COLOR="1")
    session.expect("(step) ")
    session.send("c\n")
    session.expect("IN#0 Ask ")
    code, shown = session.finish(nudge="\x03")
    assert code == 130
    assert "Traceback" not in shown
