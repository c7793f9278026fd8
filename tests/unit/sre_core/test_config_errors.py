"""Tests of wrong configurations: the error names the key, its source and the next step, and shows no value."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.config import Config, load
from sre_core.errors import ConfigError

SECRET = "hunter2"


def refused(folder: Path, text: str = "", environ: dict[str, str] | None = None, code: Any = None) -> ConfigError:
    if text:
        (folder / "sre.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(folder, environ or {}, code)
    return raised.value


UNKNOWN = [
    ("modle = 'x'", "modle", "'model'"),
    ("[conectors.llm]", "conectors", "'connectors'"),
    ("[timeouts]\noperatoin = 1", "timeouts.operatoin", "'operation'"),
    ("[plugins]\ndisable = []", "plugins.disable", "'disabled'"),
    ("[guard]\nx = 1", "guard.x", "sre config"),
    ('[models."a/b"]\ncontext_token = 1', "models.a/b.context_token", "'context_tokens'"),
    ('[models."a/b".params]\ntemprature = 1', "models.a/b.params.temprature", "'temperature'"),
]


@pytest.mark.parametrize(("text", "key", "hint"), UNKNOWN)
def test_an_unknown_key_is_named_with_its_file_and_the_near_one(tmp_path: Path, text: str, key: str, hint: str) -> None:
    error = refused(tmp_path, text)
    assert error.message == f"unknown key {key!r} in {tmp_path / 'sre.toml'}"
    assert hint in (error.hint or "")


def test_an_unknown_variable_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, environ={"SRE_MODLE": "x"}).message == "unknown key 'modle' in SRE_MODLE"


def test_an_unknown_service_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, "[connectors.sotrage.default]\nuse = 'memory'")
    assert "'connectors.sotrage" in error.message
    assert str(tmp_path) in error.message


@pytest.mark.parametrize("source", ["file", "variable", "code"])
def test_a_bad_value_names_its_source_also_over_a_good_one(tmp_path: Path, source: str) -> None:
    file = "[timeouts]\nstart = " + ("-1" if source == "file" else "1")
    environ = {"SRE_TIMEOUTS__START": SECRET} if source == "variable" else {}
    code = {"timeouts": {"start": [SECRET]}} if source == "code" else None
    error = refused(tmp_path, file, environ, code)
    names = {"file": str(tmp_path / "sre.toml"), "variable": "SRE_TIMEOUTS__START", "code": "code"}
    assert error.message.startswith(f"bad value for 'timeouts.start' in {names[source]}: ")
    assert SECRET not in f"{error.message} {error.hint}"


BAD = {
    "connectors = 5": "connectors",
    "connectors = ['x']": "connectors",
    "[connectors]\nstorage = 5": "connectors",
    "[connectors]\nvault = 'env'": "connectors",
    "[connectors.storage]\ndefault = 'memory'": "connectors.storage.default",
    "[connectors.storage.default]\nuse = 5": "connectors.storage.default.use",
    "[connectors.storage.other]\nfolder = 'x'": "connectors.storage.other.use",
    "access = 'all'": "access",
    "[access]\nllm = 'read'": "access",
    "[access]\n'llm' = { public = 'rw' }": "access.llm.public",
    "[teams]\nops = 'user:u1'": "teams.ops",
    "[teams]\nops = [5]": "teams.ops.0",
    "model = 5": "model",
    "plugins = []": "plugins",
    "[timeouts]\nllm = 0": "timeouts.llm",
    "[guard]\nacl_cache_seconds = -1": "guard.acl_cache_seconds",
    "[models.mine]": "models.mine",
    "[models.'not one/x']": "models.not one/x",
    "[models.'a/b']\ncontext_tokens = 0": "models.a/b.context_tokens",
    "[models.'a/b']\ninput_price = -1": "models.a/b.input_price",
    "[models.'a/b']\nparams = { temperature = nan }": "models.a/b.params.temperature",
    "[models.'a/b']\naliases = 'x'": "models.a/b.aliases",
    "[models.'a/b']\nsettings = { use = 'x' }": "models.a/b.settings",
    "model_files = 'models.json'": "model_files",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_value_is_a_config_error_that_names_it(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert f"'{BAD[text]}" in error.message
    assert str(tmp_path / "sre.toml") in error.message


@pytest.mark.parametrize(
    ("text", "place"), [("a = 1\nb =\n", "line 2"), ("[a]\n[a]\n", "line 2"), ("a = 'x", "end of document")]
)
def test_bad_toml_names_the_line(tmp_path: Path, text: str, place: str) -> None:
    error = refused(tmp_path, text)
    assert "is not valid TOML" in error.message
    assert place in error.message


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_has_the_files_name_and_is_none_is_not_passed_over(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "sre.toml"
    if kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere.toml")
    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path, {})


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sre.toml").write_bytes(b"model = '\xff'")
    assert "is not valid TOML" in refused(tmp_path).message


def test_a_variable_that_is_not_json_is_named_without_its_value(tmp_path: Path) -> None:
    error = refused(tmp_path, environ={"SRE_CONNECTORS__LLM__DEFAULT__KEY": "{" + SECRET})
    assert error.message.startswith("SRE_CONNECTORS__LLM__DEFAULT__KEY is not valid JSON")
    assert SECRET not in error.message
    assert error.__cause__ is None


def test_two_variables_for_one_value_are_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, environ={"SRE_MODEL": "x", "SRE_MODEL__NAME": "y"})
    assert "SRE_MODEL__NAME" in error.message


def test_a_config_made_by_hand_is_checked_by_pydantic() -> None:
    with pytest.raises(ValueError, match="connectors"):
        Config(connectors={"storage": 5})  # type: ignore[dict-item]
