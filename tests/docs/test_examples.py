"""The examples run: those of the documentation anywhere, those with the local model where its weights are."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import EXAMPLES, ROOT, environ

PROGRAMS = [path.name for path in sorted(EXAMPLES.glob("*.py"))]
WITH_MODEL = [path.name for path in sorted((ROOT / "examples").glob("*.py"))]


def run(source: Path, tmp_path: Path, *command: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
    folder = tmp_path / "examples"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".sre"), dirs_exist_ok=True)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environ(tmp_path),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_of_the_documentation_runs_without_a_warning(name, tmp_path):
    is_test = name.startswith("test_")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", name] if is_test else ["-W", "error", name]
    done = run(EXAMPLES, tmp_path, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    assert not done.stderr.strip()


@pytest.mark.parametrize(
    "path", [*EXAMPLES.glob("*.py"), *(ROOT / "examples").glob("*.py")], ids=lambda path: path.name
)
def test_an_example_says_what_it_is_and_is_typed(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if node.returns is None] == []


@pytest.mark.slow
@pytest.mark.integration
def test_the_demo_calls_the_skill_stores_the_result_and_keeps_strangers_out(tmp_path):
    done = run(ROOT / "examples", tmp_path, "demo.py", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout
    assert "guard  agent:bookkeeper may read llm/smollm" in lines
    assert "skill  the model calls save_expense with" in lines
    assert "guard  agent:bookkeeper may write storage/agent/bookkeeper/costs/" in lines
    assert "guard  agent:stranger may not read 'storage/agent/bookkeeper/costs/" in lines
    stored = [line.partition(" holds ")[2] for line in lines.splitlines() if line.startswith(" stored")]
    assert [json.loads(text)["euros"] for text in stored] == [4]


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("name", [name for name in WITH_MODEL if name != "demo.py"])
def test_an_example_runs_with_the_local_model(name, tmp_path):
    done = run(ROOT / "examples", tmp_path, name, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_demo_fails_loudly_when_the_model_is_not_there(tmp_path):
    (tmp_path / "examples").mkdir()
    shutil.copytree(ROOT / "examples", tmp_path / "examples", dirs_exist_ok=True)
    settings = tmp_path / "examples/sre.toml"
    settings.write_text(settings.read_text() + 'weights = "nowhere"\n')
    done = subprocess.run(
        [sys.executable, "demo.py"],
        cwd=tmp_path / "examples",
        env=environ(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "The demo failed: no weights at" in done.stderr
    assert "Traceback" not in done.stderr
