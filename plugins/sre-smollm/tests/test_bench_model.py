"""The command `sre bench-model`: which engines are measured, what is told of them, and why one is left out."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_core.errors import ConfigError, NotFoundError, UnavailableError, UnsupportedError
from sre_smollm.commands.bench_model import bench_model_command
from sre_smollm.engine.engine import Engine
from sre_smollm.engine.speed import AT_ONCE, measure
from sre_smollm.networks.base import Row


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but the test's, and an empty cache of the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random SmolLM3 whose sizes the compiled network can do."""
    import torch
    from transformers import SmolLM3Config, SmolLM3ForCausalLM

    folder = tmp_path_factory.mktemp("bench") / "tiny"
    shutil.copytree(tiny_folder, folder)
    torch.manual_seed(1)
    config = SmolLM3Config.from_pretrained(str(tiny_folder))
    config.update({"hidden_size": 64, "intermediate_size": 96, "max_position_embeddings": 200})
    SmolLM3ForCausalLM(config).save_pretrained(str(folder))
    return folder


def invoke(*args: str) -> Result:
    result = CliRunner().invoke(bench_model_command(), args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def configure(tmp_path: Path, folder: Path, **settings: object) -> None:
    lines = [f"{key} = {value!r}" for key, value in {"model": str(folder), **settings}.items()]
    (tmp_path / "sre.toml").write_text("\n".join(["[connectors.llm.default]", "use = 'smollm'", *lines]))


def test_every_engine_that_can_run_the_model_has_a_row(folder, tmp_path):
    configure(tmp_path, folder, cache_folder=str(tmp_path / "cache"), threads=1, batch=1)
    lines = invoke().stdout.splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert lines[0] == f"tiny: 0 million parameters, {folder}"
    assert rows["compiled"][1:4] == ["int8", "on", "cpu"]
    assert rows["transformers"][2:4] == ["on", "cpu"]
    # The context has 200 tokens, and 32 are written.
    assert "168" in rows["engine"]
    for row in (rows["compiled"], rows["transformers"]):
        assert len(row) == 10
        assert all(float(cell.replace(",", "")) > 0 for cell in row[4:])
    assert "auto takes compiled: the fastest one on a processor." in lines
    assert lines[-1].startswith("llamacpp was left out: ")


def test_one_engine_is_told_as_json(folder, tmp_path):
    configure(tmp_path, folder, cache_folder=str(tmp_path / "cache"), engine="transformers")
    told = json.loads(invoke("--engine", "compiled", "--json").stdout)
    assert (told["model"], told["weights"], told["left_out"]) == ("tiny", str(folder), [])
    assert told["auto"] == {"engine": "compiled", "reason": "the fastest one on a processor"}
    (one,) = told["engines"]
    assert (one["engine"], one["device"], one["weights"]) == ("compiled", "cpu", "int8")
    assert one["start_seconds"] > 0
    assert one["memory_bytes"] is None or one["memory_bytes"] > 1e6
    speed = one["speed"]
    assert speed["read_tokens"] == 168
    assert set(speed["write"]) == {"64", "168"}
    assert min(speed["read"], speed["together"], *speed["write"].values()) > 0


def test_an_engine_that_cannot_run_the_model_is_left_out_with_the_reason(tiny_folder):
    auto, *left_out = invoke(str(tiny_folder)).stdout.splitlines()[-3:]
    assert auto.startswith("auto takes transformers: the compiled network cannot run the model")
    assert [line.partition(" was left out: ")[0] for line in left_out] == ["compiled", "llamacpp"]
    assert "multiples of 32" in left_out[0]
    with pytest.raises(UnsupportedError, match="multiples of 32"):
        invoke(str(tiny_folder), "--engine", "compiled")


def test_what_writes_no_text_is_refused():
    with pytest.raises(UnsupportedError, match="'minilm' writes no text"):
        invoke("minilm")


def test_weights_that_are_not_here_are_not_fetched():
    with pytest.raises(NotFoundError, match="'smollm3' are not on this machine"):
        invoke("smollm3")


def test_an_error_in_the_process_is_the_error_of_the_command(folder, tmp_path):
    configure(tmp_path, folder, chat_template="{% broken", cache_folder=str(tmp_path / "cache"))
    with pytest.raises(UnavailableError, match="template"):
        invoke("--engine", "compiled")


def test_a_default_connector_that_is_not_on_this_machine_needs_a_name(tmp_path):
    (tmp_path / "sre.toml").write_text("[connectors.llm.default]\nuse = 'echo'\n")
    with pytest.raises(ConfigError, match="'echo'") as error:
        invoke()
    assert "sre bench-model smollm3" in str(error.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_it_without_a_traceback(folder, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "sre_cli", "bench-model", str(folder), "--engine", "transformers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "measuring transformers…\n"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err.strip()) == (130, "", "")


async def test_no_more_tokens_are_read_than_the_context_has(watched):
    lengths, read = [], set()

    def look(rows: Sequence[Row]) -> None:
        lengths.extend(row.cache.length + len(row.ids) for row in rows)
        read.update(token for row in rows for token in row.ids)

    watched.fault = look
    engine = Engine(lambda: watched)
    await engine.start()
    try:
        speed = await measure(engine, context_tokens=40, avoid=11)
        stats = engine.stats()
    finally:
        await engine.stop()
    assert (speed.read_tokens, list(speed.write)) == (20, [20])
    assert max(lengths) == 40
    assert 11 not in read
    # What was read before is read anew.
    assert (stats.cached_tokens, stats.kept) == (0, 0)
    assert max(len(step) for step in watched.steps) == AT_ONCE


@pytest.mark.slow
def test_the_small_model_is_measured():
    told = json.loads(invoke("--engine", "compiled", "--json").stdout)
    (one,) = told["engines"]
    assert (told["model"], one["weights"]) == ("smollm2-135m", "int4")
    assert one["speed"]["read_tokens"] == 512
    assert set(one["speed"]["write"]) == {"64", "1024"}
