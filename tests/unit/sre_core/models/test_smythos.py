"""Model files of SmythOS: read whole or not at all, and what has no meaning here is noted."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.errors import ConfigError
from sre_core.models import Given
from sre_core.models.smythos import read_model_files

# As LM Studio is written down in the documentation of SmythOS.
LOCAL = {
    "provider": "OpenAI",
    "modelId": "google/gemma-3n-e4b",
    "baseURL": "http://localhost:1234/v1",
    "tokens": 4096,
    "completionTokens": 1024,
    "enabled": True,
    "features": ["text", "tools"],
    "credentials": "vault",
}


def write(folder: Path, content: Any, name: str = "models.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def read(folder: Path, content: Any) -> Given:
    (one,) = read_model_files([write(folder, content)])
    return one


def one(folder: Path, **fields: Any) -> Given:
    return read(folder, {"m": {"provider": "OpenAI", "modelId": "x", **fields}})


def refused(*places: Path) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        read_model_files(places)
    return raised.value


def test_a_map_of_models_is_read_with_their_names_as_aliases(tmp_path: Path) -> None:
    given = read(tmp_path, {"gemma-3n-e4b": LOCAL})
    assert (given.id, given.source, given.notes) == ("openai/gemma-3n-e4b", str(tmp_path / "models.json"), ())
    assert given.values == {
        "connector": "openai",
        "settings": {"url": "http://localhost:1234/v1", "key": {"vault": "openai"}},
        "model": "google/gemma-3n-e4b",
        "aliases": ("gemma-3n-e4b",),
        "features": ("tools",),
        "context_tokens": 4096,
        "output_tokens": 1024,
        "enabled": True,
    }


def test_a_file_with_one_model_is_called_by_its_id(tmp_path: Path) -> None:
    given = read(tmp_path, LOCAL)
    assert given.id == "openai/google/gemma-3n-e4b"
    assert given.values["aliases"] == ("google/gemma-3n-e4b",)


def test_a_mark_of_the_encoding_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"m": LOCAL}).encode())
    assert [given.id for given in read_model_files([path])] == ["openai/m"]


def test_folders_are_read_with_those_below_and_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.json", ".git/d.json", "a/.e.json", "notes.txt"):
        write(tmp_path / "models", {name: LOCAL}, name)
    single = write(tmp_path, {"f": LOCAL})
    found = [given.values["aliases"][0] for given in read_model_files([tmp_path / "models", single])]
    assert found == ["a/c.json", "b.json", "f"]


PROVIDERS = [
    ("OpenAI", "openai", "openai", {"preset": "openai", "key": {"vault": "openai"}}),
    ("Anthropic", "anthropic", "anthropic", {"key": {"vault": "anthropic"}}),
    ("GoogleAI", "google", "google", {"key": {"vault": "googleai"}}),
    ("VertexAI", "google", "google", {"backend": "vertex"}),
    ("Groq", "groq", "openai", {"preset": "groq", "key": {"vault": "groq"}}),
    ("TogetherAI", "together", "openai", {"preset": "together", "key": {"vault": "togetherai"}}),
    ("xAI", "xai", "openai", {"preset": "xai", "key": {"vault": "xai"}}),
    ("Perplexity", "perplexity", "openai", {"preset": "perplexity", "key": {"vault": "perplexity"}}),
    ("DeepSeek", "deepseek", "openai", {"preset": "deepseek", "key": {"vault": "deepseek"}}),
    ("Ollama", "ollama", "openai", {"preset": "ollama", "key": {"vault": "ollama"}}),
    ("Bedrock", "bedrock", "bedrock", {}),
    ("Echo", "echo", "echo", {}),
]


@pytest.mark.parametrize(("theirs", "ours", "connector", "settings"), PROVIDERS)
def test_their_providers_are_ours(
    tmp_path: Path, theirs: str, ours: str, connector: str, settings: dict[str, Any]
) -> None:
    given = one(tmp_path, provider=theirs, credentials="vault")
    assert (given.id, given.values["connector"], given.values["settings"]) == (f"{ours}/m", connector, settings)


def test_the_old_word_for_a_provider_is_understood(tmp_path: Path) -> None:
    assert read(tmp_path, {"m": {"llm": "Groq", "modelId": "x"}}).id == "groq/m"


CREDENTIALS: list[tuple[Any, Any]] = [
    ("internal", {"vault": "openai"}),
    (["internal", "vault"], {"vault": "openai"}),
    (None, {"vault": "openai"}),
    ("none", None),
    ([], None),
    ({"apiKey": "{{KEY(work openai)}}"}, {"vault": "work openai"}),
    ({"apiKey": "{{KEY( team/ops )}}"}, {"vault": "team/ops"}),
    ({"apiKey": "sk-4711"}, SecretStr("sk-4711")),
]


@pytest.mark.parametrize(("theirs", "key"), CREDENTIALS)
def test_their_credentials_become_a_key(tmp_path: Path, theirs: Any, key: Any) -> None:
    given = one(tmp_path, credentials=theirs)
    assert given.values["settings"].get("key") == key
    assert "sk-4711" not in repr(given.values)


@pytest.mark.parametrize("fields", [{"baseURL": "http://desk"}, {"provider": "Ollama"}])
def test_a_server_of_ones_own_needs_no_key_that_nobody_spoke_of(tmp_path: Path, fields: Any) -> None:
    assert "key" not in one(tmp_path, **fields).values["settings"]


def test_credentials_of_a_kind_that_is_not_known_are_noted(tmp_path: Path) -> None:
    assert one(tmp_path, credentials="bedrock_vault").notes == ("not used: credentials",)
    assert one(tmp_path, credentials={"keyId": "x"}).notes == ("not used: credentials.keyId",)
    assert one(tmp_path, provider="Bedrock", credentials="bedrock_vault").notes == ("not used: credentials",)


@pytest.mark.parametrize("credentials", ["sk-4711", ["sk-4711", "none"]])
def test_a_key_in_the_place_of_a_word_is_not_repeated(tmp_path: Path, credentials: Any) -> None:
    given = one(tmp_path, credentials=credentials)
    assert given.notes == ("not used: credentials",)
    assert "sk-4711" not in f"{given} {given.values}"


def test_features_are_our_words_and_unknown_ones_are_noted(tmp_path: Path) -> None:
    given = one(tmp_path, features=["text", "image", "document", "embeddings", "text-to-image", "magic"])
    assert given.values["features"] == ("documents", "embed", "image-generation", "images")
    assert given.notes == ("not used: features: magic",)


def test_limits_with_a_key_come_before_those_without(tmp_path: Path) -> None:
    options = {"tokens": 200, "completionTokens": 20, "enabled": False, "maxReasoningTokens": 5}
    given = one(tmp_path, tokens=100, completionTokens=10, enabled=True, keyOptions=options)
    values = given.values
    assert (values["context_tokens"], values["output_tokens"], values["enabled"]) == (200, 20, False)
    assert given.notes == ("not used: keyOptions.maxReasoningTokens",)


def test_parameters_are_ours_and_others_are_noted(tmp_path: Path) -> None:
    params = {"maxTokens": 50, "temperature": 0, "topP": 0.5, "stopSequences": "a,b\nc", "topK": 4}
    given = one(tmp_path, params=params)
    assert given.values["params"] == {"max_tokens": 50, "temperature": 0, "top_p": 0.5, "stop": ("a", "b", "c")}
    assert given.notes == ("not used: params.topK",)


def test_the_interface_says_which_api_is_used(tmp_path: Path) -> None:
    assert one(tmp_path, interface="responses").values["settings"]["api"] == "responses"
    assert one(tmp_path, interface="chat.completions").values["settings"]["api"] == "chat"
    assert one(tmp_path, interface="generateContent").notes == ("not used: interface",)


def test_an_alias_is_another_entry_whose_model_is_asked_for(tmp_path: Path) -> None:
    other = {"provider": "OpenAI", "modelId": "gpt-5-2026", "alias": "nobody"}
    path = write(tmp_path, {"new": other, "old": {"provider": "OpenAI", "modelId": "gpt-4", "alias": "new"}})
    new, old = read_model_files([path])
    assert (old.id, old.values["model"]) == ("openai/old", "gpt-5-2026")
    assert (new.values["model"], new.notes) == ("gpt-5-2026", ("not used: alias",))


def test_what_has_no_meaning_here_is_noted_and_does_no_harm(tmp_path: Path) -> None:
    given = one(tmp_path, fallbackLLM="y", tags=["Custom"], label="A model", shape={"x": 1})
    assert given.values["label"] == "A model"
    assert given.notes == ("not used: fallbackLLM, shape, tags",)


WRONG = [
    ("{", "is not valid JSON"),
    ("[]", "holds no models"),
    ('{"m": 5}', "bad value for 'm' of model 'm'"),
    ('{"m": {"provider": "OpenAI"}}', "bad value for 'modelId' of model 'm'"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "tokens": "many"}}', "bad value for 'tokens' of model 'm'"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "tokens": 0}}', "bad value for 'tokens' of model 'm'"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "params": {"topP": "x"}}}', "bad value for 'params.topP'"),
    ('{"m": {"modelId": "x"}}', "bad value for 'provider' of model 'm'"),
    ('{"m": {"provider": "Runware", "modelId": "x"}}', "'Runware' is not known"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "credentials": {"apiKey": 5}}}', "'credentials.apiKey'"),
    ('{"m": {"modelId": "x"}, "m": {"modelId": "y"}}', "'m' stands there twice"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "credentials": {"apiKey": "Bearer {{KEY(a)}}"}}}', ".apiKey'"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "credentials": {"apiKey": "{{KEY( )}}"}}}', ".apiKey'"),
    ('{"m": {"provider": "OpenAI", "modelId": "x", "params": {"temperature": NaN}}}', "NaN is no number"),
    ('{"*": {"provider": "OpenAI", "modelId": "x", "baseURL": "http://desk"}}', "no model can be called '*'"),
    ('{"": {"provider": "OpenAI", "modelId": "x"}}', "no model can be called ''"),
    ('{"a\\u001b[2J": {"provider": "OpenAI", "modelId": "x"}}', "no model can be called 'a\\x1b[2J'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_file_with_one_bad_model_is_refused_with_its_name_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    good = write(tmp_path, {"good": LOCAL}, "good.json")
    bad = write(tmp_path, text, "bad.json")
    error = refused(good, bad)
    assert message in error.message
    assert str(bad) in error.message
    assert error.hint


def test_a_model_in_two_files_is_refused_with_both(tmp_path: Path) -> None:
    error = refused(write(tmp_path, {"m": LOCAL}, "a.json"), write(tmp_path, {"m": LOCAL}, "b.json"))
    assert str(tmp_path / "a.json") in error.message
    assert str(tmp_path / "b.json") in error.message


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, {"m": LOCAL}, "models/a.json")
    monkeypatch.chdir(tmp_path)
    places = [tmp_path / "models", path, Path("models/a.json"), tmp_path / "models" / ".." / "models"]
    assert [given.id for given in read_model_files(places)] == ["openai/m"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none.json") in refused(tmp_path / "none.json").message


def test_a_bad_file_is_not_quoted(tmp_path: Path) -> None:
    path = write(tmp_path, '{"m": {"credentials": {"apiKey": "sk-4711"}')
    assert "sk-4711" not in str(refused(path))
    path = write(tmp_path, {"m": {"provider": "OpenAI", "modelId": "x", "credentials": 5, "baseURL": "sk-4711"}})
    assert "sk-4711" not in str(refused(path))
