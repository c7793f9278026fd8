"""Who follows the page on writing a plugin, word by word, gets a plugin that works."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.docs.pages import environ, read

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGE = "docs/plugins/write-one.md"


def written_files() -> dict[str, str]:
    """The files of the page: a path, a colon, and the block that follows."""
    found = re.findall(r"^`([\w./]+)`:\n\n<!--.*?-->\n```\w+\n(.*?)^```$", read(PAGE), re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment of the author's, which also sees what is installed here, so that nothing is fetched."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    here = sysconfig.get_path("purelib")
    (site / "outer.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return folder / "bin/python"


@pytest.fixture
def project(tmp_path: Path, python: Path) -> Path:
    """The files of the page, as its author saves them, installed."""
    project = tmp_path / "sre-example"
    for name, text in written_files().items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    (project / "README.md").touch()
    (project / "sre_example/py.typed").touch()
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, "."], project, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def run(command: list[str], folder: Path, home: Path) -> "subprocess.CompletedProcess[str]":
    environment = environ(home) | {"PIP_NO_INDEX": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_page_shows_all_the_files_that_it_lists():
    tree = re.search(r"```text\n(sre-example/.*?)```", read(PAGE), re.DOTALL)
    assert tree is not None
    assert {Path(name).name for name in written_files()} == set(re.findall(r"[\w]+\.(?:py|toml)", tree[1]))


@pytest.mark.skipif(os.name == "nt", reason="paths of the environment are those of POSIX")
def test_the_plugin_of_the_page_keeps_the_rules_is_listed_and_passes_its_check(project, python, tmp_path):
    tested = run([str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"], project, tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr

    where = run([str(python), "-c", "import sre_example; print(sre_example.__file__)"], tmp_path, tmp_path)
    assert str(tmp_path) in where.stdout, "this is not the plugin that was written just now"

    listed = run([str(python), "-m", "sre_cli", "plugins", "list", "--strict"], tmp_path, tmp_path)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "cache:json" in listed.stdout

    check = ["plugins", "check", "cache:json", "--setting", "file=cache.json"]
    checked = run([str(python), "-m", "sre_cli", *check], tmp_path, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "cache:json keeps all" in checked.stdout
