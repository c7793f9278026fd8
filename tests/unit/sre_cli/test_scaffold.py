"""Projects are made whole or not at all, under legal names only."""

import os
from pathlib import Path

import pytest

from sre_cli.scaffold import make_project, package_name, template_names
from sre_core.errors import ConfigError

VALUES = {
    "name": "my-notes",
    "package": "my_notes",
    "title": "MyNotes",
    "model_line": "",
    "connector": "echo",
    "dependencies": '"sre-runtime"',
}


@pytest.mark.parametrize(
    ("project", "package"), [("notes", "notes"), ("My-Notes.v2", "my_notes_v2"), ("a", "a"), ("a1__b", "a1_b")]
)
def test_a_project_name_gives_a_legal_package_name(project: str, package: str) -> None:
    assert package_name(project) == package
    assert package.isidentifier()


@pytest.mark.parametrize(
    "project",
    [
        "",
        " ",
        "1st",
        "a b",
        "-x",
        "x-",
        "a/b",
        "..",
        "../x",
        "a\n",
        "naïve",
        "a$b",
        "x" * 65,
        "class",
        "json",
        "sre-core",
    ],
)
def test_an_illegal_project_name_is_refused(project: str) -> None:
    with pytest.raises(ConfigError, match="illegal project name"):
        package_name(project)


@pytest.mark.parametrize("template", ["agent", "plugin"])
def test_every_placeholder_is_filled_in(tmp_path: Path, template: str) -> None:
    written = make_project(template, tmp_path / "new", VALUES)
    assert written
    for path in written:
        text = (tmp_path / "new" / path).read_text("utf-8")
        assert not str(path).endswith(".tmpl")
        assert "$" not in text.replace("$$", ""), f"{path} has a placeholder left"
    assert {path.as_posix() for path in written} >= {"pyproject.toml", "README.md", ".gitignore"}


def test_the_templates_are_those_that_create_offers() -> None:
    assert template_names() == ["agent", "plugin"]


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "new"
    target.mkdir()
    (target / "mine.txt").write_text("keep")
    with pytest.raises(ConfigError, match="not empty"):
        make_project("agent", target, VALUES)
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "new"
    target.write_text("keep")
    with pytest.raises(ConfigError, match="not a folder"):
        make_project("agent", target, VALUES)
    assert target.read_text() == "keep"


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "new").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="not a folder"):
        make_project("agent", tmp_path / "new", VALUES)
    assert list((tmp_path / "real").iterdir()) == []


def test_an_empty_folder_stays_the_same_folder(tmp_path: Path) -> None:
    target = tmp_path / "new"
    target.mkdir()
    before = target.stat().st_ino
    make_project("agent", target, VALUES)
    assert target.stat().st_ino == before
    assert (target / "agent.py").is_file()


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    values = {key: value for key, value in VALUES.items() if key != "name"}
    with pytest.raises(KeyError):
        make_project("agent", tmp_path / "new", values)
    assert list(tmp_path.iterdir()) == []


def test_the_new_folder_has_the_rights_of_any_new_folder(tmp_path: Path) -> None:
    make_project("agent", tmp_path / "new", VALUES)
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert os.access(tmp_path / "new", os.W_OK)
