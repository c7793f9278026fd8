"""Tests of the configuration: which source wins, and that each value knows where it came from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.config import DEFAULTS, Config, ConnectorConfig, Loaded, load


def write(folder: Path, text: str) -> Path:
    path = folder / "sre.toml"
    path.write_text(text, encoding="utf-8")
    return path


def storage(loaded: Loaded) -> ConnectorConfig:
    return loaded.config.connectors["storage"]["default"]


def test_with_nothing_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(tmp_path, {})
    assert {service: entries["default"].use for service, entries in loaded.config.connectors.items()} == {
        "llm": "smollm",
        "storage": "local",
        "vectors": "memory",
        "cache": "memory",
        "vault": "local",
    }
    assert loaded.config.access == {"llm": {"public": "read"}}
    assert set(loaded.origin.values()) == {"default"}


def test_a_config_made_by_hand_stands_on_the_same_defaults(tmp_path: Path) -> None:
    assert Config().model_dump() == load(tmp_path, {}).config.model_dump()


def test_each_source_wins_over_the_ones_before_and_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "[timeouts]\nstart = 1\nstop = 1\noperation = 1\n")
    environ = {"SRE_TIMEOUTS__STOP": "2", "SRE_TIMEOUTS__OPERATION": "2"}
    loaded = load(tmp_path, environ, {"timeouts": {"operation": 3}})
    timeouts = loaded.config.timeouts
    assert (timeouts.start, timeouts.stop, timeouts.operation, timeouts.llm) == (1, 2, 3, 600)
    sources = [loaded.config.source(f"timeouts.{name}") for name in ("start", "stop", "operation", "llm")]
    assert sources == [str(file), "SRE_TIMEOUTS__STOP", "code", "default"]


def test_the_options_of_a_connector_are_merged_key_by_key(tmp_path: Path) -> None:
    file = write(tmp_path, '[connectors.storage.default]\nuse = "s3"\nbucket = "notes"\nregion = "x"\n')
    loaded = load(tmp_path, {"SRE_CONNECTORS__STORAGE__DEFAULT__REGION": "y"})
    assert storage(loaded) == ConnectorConfig(use="s3", bucket="notes", region="y")  # type: ignore[call-arg]
    path = "connectors.storage.default"
    assert [loaded.origin[f"{path}.{key}"] for key in ("use", "bucket", "region")] == [
        str(file),
        str(file),
        "SRE_CONNECTORS__STORAGE__DEFAULT__REGION",
    ]


def test_another_connector_takes_over_without_the_options_of_the_old_one(tmp_path: Path) -> None:
    write(tmp_path, '[connectors.storage.default]\nuse = "s3"\nbucket = "notes"\n')
    loaded = load(tmp_path, {"SRE_CONNECTORS__STORAGE__DEFAULT__USE": "memory"})
    assert storage(loaded) == ConnectorConfig(use="memory")
    assert "connectors.storage.default.bucket" not in loaded.origin


def test_the_same_connector_keeps_its_options(tmp_path: Path) -> None:
    loaded = load(tmp_path, {}, {"connectors": {"storage": {"default": {"use": "local"}}}})
    assert storage(loaded).options == {"folder": ".sre/storage"}


def test_the_grants_of_a_path_are_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path, '[access]\n"llm/gpt-4" = { "user:u1" = "read" }\n"llm/gpt-4.1" = { "user:u1" = "read" }\n')
    loaded = load(tmp_path, {}, {"access": {"llm": {}, "llm/gpt-4": {"user:u2": "own"}}})
    assert loaded.config.access == {
        "llm": {},
        "llm/gpt-4": {"user:u2": "own"},
        "llm/gpt-4.1": {"user:u1": "read"},
    }
    # A name with a dot is no table below another name.
    assert loaded.origin["access.llm/gpt-4.1.user:u1"] == str(tmp_path / "sre.toml")
    assert "access.llm/gpt-4.user:u1" not in loaded.origin
    assert loaded.config.source("access.llm") == "code"


def test_a_vault_in_one_source_leaves_the_connectors_of_another(tmp_path: Path) -> None:
    write(tmp_path, '[connectors.storage.default]\nuse = "memory"\n')
    loaded = load(tmp_path, {"SRE_CONNECTORS__VAULT__DEFAULT__USE": "env"})
    assert storage(loaded).use == "memory"
    assert loaded.config.connectors["vault"]["default"].use == "env"
    assert loaded.origin["connectors.cache.default.use"] == "default"


KEY = "connectors.llm.default.key"


def test_a_reference_into_the_vault_is_one_value(tmp_path: Path) -> None:
    file = write(tmp_path, '[connectors.llm.default]\nuse = "openai"\nkey = { vault = "one" }\n')

    def key(environ: Mapping[str, str]) -> tuple[Any, str]:
        loaded = load(tmp_path, environ)
        return loaded.config.connectors["llm"]["default"].options["key"], loaded.config.source(KEY)

    name = "SRE_CONNECTORS__LLM__DEFAULT__KEY"
    assert key({}) == ({"vault": "one"}, str(file))
    assert key({name: '{"vault": "two"}'}) == ({"vault": "two"}, name)
    assert key({f"{name}__VAULT": "two"}) == ({"vault": "two"}, f"{name}__VAULT")
    assert key({name: "plain"}) == ("plain", name)


def test_the_file_is_looked_for_upwards_and_paths_start_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "")
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    config = load(below, {}).config
    assert config.root == tmp_path.resolve()
    assert config.data_folder == config.root / ".sre"
    assert config.place(Path("x/y")) == config.root / "x/y"
    assert config.place(Path(".sre/x")) == config.root / ".sre/x"
    assert config.place(tmp_path) == tmp_path


def test_the_nearest_file_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path, 'model = "far"\n[timeouts]\nstart = 1\n')
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", 'model = "near"\n')
    config = load(tmp_path / "a", {}).config
    assert (config.model, config.timeouts.start) == ("near", 600)


def test_without_a_file_data_lies_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home/share"))
    config = load(tmp_path, {}).config
    assert (tmp_path / "home") in config.data_folder.parents
    assert config.place(Path(".sre/x")) == config.data_folder / "x"


@pytest.mark.parametrize(("data", "place"), [("d", "root/d"), ("~/d", "home/d")])
def test_data_can_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, place: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "root").mkdir()
    config = load(tmp_path / "root", {"SRE_DATA": data}).config
    assert config.data_folder == (tmp_path / place).resolve()
    assert config.place(Path(".sre/storage")) == config.data_folder / "storage"


def test_values_of_variables_become_what_they_must_be(tmp_path: Path) -> None:
    environ = {
        "SRE_TIMEOUTS__LLM": "1.5",
        "SRE_TEAMS": '{"ops": ["user:u1", "agent:a1"]}',
        "SRE_CONNECTORS__LLM": '{"fast": {"use": "echo"}}',
        "SRE_CONNECTORS__LLM__FAST__REPLY": "yes",
        "SRE_PLUGINS__DISABLED": '["a"]',
        "SRE_VAULT_KEY": "none of our business",
        "SRE_VAULT_PASSPHRASE": "neither",
        "SREMODEL": "not ours",
        "PATH": "/bin",
    }
    config = load(tmp_path, environ).config
    assert config.timeouts.llm == 1.5
    assert config.teams == {"ops": ("user:u1", "agent:a1")}
    assert config.connectors["llm"]["fast"].options == {"reply": "yes"}
    assert config.connectors["llm"]["default"].use == "smollm"
    assert config.plugins.disabled == ("a",)


@pytest.mark.parametrize(("text", "only"), [("a,b", ("a", "b")), (" a , ,b", ("a", "b")), ("", ())])
def test_plugins_are_narrowed_by_a_list_of_names(tmp_path: Path, text: str, only: tuple[str, ...]) -> None:
    loaded = load(tmp_path, {"SRE_PLUGINS": text})
    assert loaded.config.plugins.only == only
    assert loaded.origin["plugins.only"] == "SRE_PLUGINS"


def test_a_configuration_does_not_share_its_values_with_the_defaults(tmp_path: Path) -> None:
    load(tmp_path, {}, {"connectors": {"storage": {"default": {"folder": "elsewhere"}}}})
    assert DEFAULTS["connectors"]["storage"]["default"]["folder"] == ".sre/storage"


NAMES = st.sampled_from(["a", "b", "c"])
TABLES = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
).map(lambda value: {"use": "x", "options": value})


def overlaid(below: Any, above: Any) -> Any:
    """What a merge must give, written down plainly."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {
        key: overlaid(below[key], above[key]) if key in below and key in above else (above | below)[key]
        for key in below | above
    }


@given(first=TABLES, second=TABLES, third=TABLES)
def test_layers_lie_over_each_other_and_every_leaf_has_one_source(first: Any, second: Any, third: Any) -> None:
    environ = {"SRE_CONNECTORS__CACHE__DEFAULT": json.dumps(first), "SRE_CONNECTORS__CACHE__OTHER": json.dumps(second)}
    code = {"connectors": {"cache": {"default": third, "other": first}}}
    loaded = load(Path("/"), environ, code)
    entries = loaded.config.connectors["cache"]
    for id_, below, above in (("default", first, third), ("other", second, first)):
        expected = overlaid(below, above)
        assert entries[id_].options == {key: value for key, value in expected.items() if key != "use"}
        leaves = {f"connectors.cache.{id_}.{leaf}" for leaf in leaf_names(expected)}
        assert leaves == {leaf for leaf in loaded.origin if leaf.startswith(f"connectors.cache.{id_}.")}


def leaf_names(value: Any, path: str = "") -> list[str]:
    if not isinstance(value, dict) or not value:
        return [path.removeprefix(".")]
    return [leaf for key, item in value.items() for leaf in leaf_names(item, f"{path}.{key}")]
