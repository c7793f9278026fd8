"""A file that is read is not written over, whatever it is called."""

from pathlib import Path

import click
import pytest

from sre_cli.outputs import keep_inputs


def test_a_file_that_is_read_is_refused_by_every_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read = tmp_path / "read.smyth"
    read.write_text("{}")
    (tmp_path / "link").symlink_to(read)
    (tmp_path / "hard").hardlink_to(read)
    (tmp_path / "folder").mkdir()
    for name in ("read.smyth", "./folder/../read.smyth", str(read), "link", "hard"):
        with pytest.raises(click.UsageError, match="is a file that is read here"):
            keep_inputs(Path(name), ["other.smyth", "read.smyth"])


def test_any_other_file_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "read.smyth").write_text("{}")
    (tmp_path / "old.json").write_text("{}")
    for output in (None, tmp_path / "new.json", tmp_path / "old.json"):
        keep_inputs(output, [tmp_path / "read.smyth", "", "no.module"])
