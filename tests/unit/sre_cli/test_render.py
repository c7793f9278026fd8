"""What is printed is plain off a terminal, and the reply alone goes to standard output."""

import json

import pytest

from sre_cli.render import EventPrinter, print_json, print_table, print_text, shorten
from sre_core.events import RunFinished, RunStarted, SkillCalled, SkillReturned, TextDelta, ThinkingDelta
from sre_core.messages import FinishReason, Usage

FINISHED = RunFinished(text="Hi", finish_reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=2))


def test_a_table_off_a_terminal_is_aligned_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300
    print_table(("NAME", "WHAT"), [("a", long), ("longer", "[not markup]")])
    assert capsys.readouterr().out == f"NAME    WHAT\na       {long}\nlonger  [not markup]\n"


def test_a_table_without_rows_is_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "WHAT"), [])
    assert capsys.readouterr().out == "NAME  WHAT\n"


def test_the_reply_goes_out_and_everything_else_aside(capsys: pytest.CaptureFixture[str]) -> None:
    printer = EventPrinter()
    for event in (
        RunStarted(prompt="Hello"),
        TextDelta(text="Let me "),
        TextDelta(text="see."),
        SkillCalled(call_id="1", name="look", arguments='{"at":\n "it"}'),
        SkillReturned(call_id="1", name="look", result="seen", seconds=0.25),
        TextDelta(text="Hi"),
        FINISHED,
    ):
        printer.show(event)
    captured = capsys.readouterr()
    assert captured.out == "Let me see.\nHi\n"
    assert captured.err == '→ look {"at": "it"}\n← seen (0.2 s)\n'


def test_thinking_is_not_shown_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    printer = EventPrinter()
    printer.show(ThinkingDelta(text="hm"))
    printer.show(FINISHED)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_terminal_is_given_nothing_to_obey(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    printer = EventPrinter()
    printer.show(ThinkingDelta(text="\x1b]0;hm\x07"))
    printer.show(TextDelta(text="a\x1b[2Jb\n"))
    print_text("\x9b31m")
    print_json("\x9b31m")
    captured = capsys.readouterr()
    assert captured.out == 'a\\x1b[2Jb\n\\x9b31m\n"\\u009b31m"\n'
    assert r"\x1b]0;hm\x07" in captured.err


def test_what_is_no_terminal_is_given_the_reply_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    EventPrinter().show(TextDelta(text="a\x07b"))
    print_text("\u202e", nl=False)
    assert capsys.readouterr().out == "a\x07b\u202e"


def test_a_line_that_was_cut_short_is_ended_once(capsys: pytest.CaptureFixture[str]) -> None:
    printer = EventPrinter()
    printer.show(TextDelta(text="half"))
    printer.end_line()
    printer.end_line()
    assert capsys.readouterr().out == "half\n"


def test_json_is_one_event_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    printer = EventPrinter(as_json=True)
    printer.show(TextDelta(text="two\nlines — and ü"))
    printer.show(FINISHED)
    printer.end_line()
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["text_delta", "run_finished"]
    assert json.loads(lines[0])["text"] == "two\nlines — and ü"
    assert json.loads(lines[1])["usage"]["output_tokens"] == 2


@pytest.mark.parametrize(("text", "short"), [("a\n b", "a b"), ("x" * 101, "x" * 99 + "…"), ("x" * 100, "x" * 100)])
def test_long_text_is_cut_to_one_line(text: str, short: str) -> None:
    assert shorten(text) == short
