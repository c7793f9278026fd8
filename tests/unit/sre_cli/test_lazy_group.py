"""A lazy group knows its commands without importing them."""

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sre_cli.lazy_group import Entry, LazyGroup
from sre_cli.main import cli


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    (tmp_path / "lazy_hello.py").write_text(
        "import click\n\n@click.command()\ndef hello():\n    click.echo('hello')\n\nnot_a_command = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazy_hello", raising=False)
    return LazyGroup(
        "top",
        entries={
            "zeta": Entry("lazy_hello:hello", "Say hello."),
            "alpha": Entry("lazy_missing:hello", "Is not there."),
            "beta": Entry("lazy_hello:not_a_command", "Is no command."),
        },
    )


def test_help_lists_summaries_in_their_order_and_imports_nothing(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    assert result.stdout.index("Say hello.") < result.stdout.index("Is not there.")
    assert "lazy_hello" not in sys.modules


def test_a_command_is_imported_when_it_runs(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["zeta"])
    assert result.stdout == "hello\n"
    assert "lazy_hello" in sys.modules


def test_an_added_command_stands_after_the_lazy_ones(group: LazyGroup) -> None:
    group.add_command(click.Command("added", callback=lambda: click.echo("added"), help="Came later."))
    listing = CliRunner().invoke(group, ["--help"]).stdout
    assert listing.index("Say hello.") < listing.index("Came later.")
    assert CliRunner().invoke(group, ["added"]).stdout == "added\n"


def test_what_is_no_command_is_refused(group: LazyGroup) -> None:
    with pytest.raises(TypeError, match="lazy_hello:not_a_command"):
        group.get_command(click.Context(group), "beta")


def test_completion_offers_names_and_imports_nothing(group: LazyGroup) -> None:
    context = click.Context(group)
    found = group.shell_complete(context, "ze")
    assert [(item.value, item.help) for item in found] == [("zeta", "Say hello.")]
    assert [item.value for item in group.shell_complete(context, "--h")] == ["--help"]
    assert "lazy_hello" not in sys.modules


@pytest.mark.parametrize("name", list(cli.entries))
def test_the_summary_in_the_list_is_that_of_the_command(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200).rstrip(".") == cli.entries[name].summary.rstrip(".")
