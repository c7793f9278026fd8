"""SmythOSVault keeps the rules of a vault, and reads the files that SmythOS writes and no other."""

import base64
import json
import os
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.builtin.smythos_vault import SmythOSVault, SmythOSVaultSettings, read_smythos_vault
from sre_core.errors import ConnectorError, NotFoundError, UnsupportedError
from sre_core.testing.conformance import observe
from sre_core.testing.conformance.vault import VaultConformance

SECRET = "sk-4711-0815"
TEAMS = {
    "default": {"openai": "sk-shared-1234", "anthropic": "sk-ant-1234", "echo": ""},
    "ops": {"openai": "sk-ops-1234", "my key": "hunter-2-1234"},
}


def write(folder: Path, content: Any = TEAMS) -> Path:
    path = folder / "vault.json"
    path.write_text(json.dumps(content))
    return path


class TestSmythOSVault(VaultConformance):
    known = MappingProxyType(
        {"openai": "sk-shared-1234", "team/ops/openai": "sk-ops-1234", "team/ops/my key": "hunter-2-1234"}
    )

    @pytest.fixture(autouse=True)
    def file(self, tmp_path):
        self.path = write(tmp_path)

    def make(self):
        return SmythOSVault(SmythOSVaultSettings(file=self.path))


class TestSharingSmythOSVault(TestSmythOSVault):
    known = MappingProxyType({"team/ops/openai": "sk-ops-1234", "openai": "sk-ops-1234"})

    def make(self):
        return SmythOSVault(SmythOSVaultSettings(file=self.path, shared="ops", share_with_teams=True))


async def opened(path: Path, **settings: Any) -> SmythOSVault:
    vault = SmythOSVault(SmythOSVaultSettings(file=path, **settings))
    await vault.start()
    return vault


async def value(vault: SmythOSVault, name: str) -> str:
    return (await vault.get(name)).get_secret_value()


async def test_all_teams_have_their_keys_and_the_shared_one_has_plain_names_too(tmp_path):
    vault = await opened(write(tmp_path))
    assert await vault.names() == [
        "anthropic",
        "openai",
        "team/default/anthropic",
        "team/default/openai",
        "team/ops/my key",
        "team/ops/openai",
    ]
    assert await value(vault, "team/default/openai") == await value(vault, "openai") == "sk-shared-1234"
    assert await value(await opened(write(tmp_path), shared="ops"), "openai") == "sk-ops-1234"


async def test_a_team_may_come_first_under_plain_names(tmp_path):
    vault = await opened(write(tmp_path), team="ops")
    assert [name for name in await vault.names() if "/" not in name] == ["anthropic", "my key", "openai"]
    assert [await value(vault, name) for name in ("openai", "anthropic")] == ["sk-ops-1234", "sk-ant-1234"]
    assert await value(vault, "team/default/openai") == "sk-shared-1234"
    with pytest.raises(NotFoundError) as missing:
        await vault.get("groq")
    assert missing.value.hint == "write it there, as 'groq' of the team 'ops' or 'default'"


async def test_providers_go_by_our_names_too(tmp_path):
    path = write(tmp_path, {"default": {"googleai": "g-1234", "togetherai": "t-1234", "together": "mine-1234"}})
    vault = await opened(path)
    assert [name for name in await vault.names() if "/" not in name] == [
        "google",
        "googleai",
        "together",
        "togetherai",
    ]
    assert [await value(vault, name) for name in ("google", "googleai", "together")] == [
        "g-1234",
        "g-1234",
        "mine-1234",
    ]
    with pytest.raises(NotFoundError):
        await vault.get("team/default/google")


async def test_a_team_without_a_shared_one_has_no_plain_names(tmp_path):
    vault = await opened(write(tmp_path), shared="nobody")
    assert all(name.startswith("team/") for name in await vault.names())
    with pytest.raises(NotFoundError) as missing:
        await vault.get("openai")
    assert missing.value.hint == "write it there, as 'openai' of the team 'nobody'"


async def test_a_team_gets_what_it_lacks_only_where_that_is_said(tmp_path):
    path = write(tmp_path, {**TEAMS, "new": {"openai": ""}})
    sharing = await opened(path, share_with_teams=True)
    for name in ("team/ops/anthropic", "team/elsewhere/anthropic", "team/new/anthropic"):
        assert await value(sharing, name) == "sk-ant-1234"
        with pytest.raises(NotFoundError, match=re.escape(repr(name))):
            await (await opened(path)).get(name)
    assert await value(sharing, "team/new/openai") == "sk-shared-1234"
    assert await value(sharing, "team/ops/openai") == "sk-ops-1234"


ODD = ["team/ops", "team/ops/", "team//openai", "agent/ops/openai", "ops/openai", "team/ops/openai/below"]


@pytest.mark.parametrize("name", ODD)
async def test_no_other_name_means_a_key(tmp_path, name):
    vault = await opened(write(tmp_path), share_with_teams=True)
    with pytest.raises(NotFoundError) as missing:
        await vault.get(name)
    assert missing.value.hint == "check the name"


async def test_an_empty_key_is_missing(tmp_path):
    with pytest.raises(NotFoundError, match="'echo'"):
        await (await opened(write(tmp_path))).get("echo")


async def test_it_cannot_be_written_to(tmp_path):
    vault = await opened(write(tmp_path))
    with pytest.raises(UnsupportedError):
        await vault.set("openai", SecretStr("x"))


async def test_variables_are_looked_up_when_a_secret_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("SMYTH_HOST", "$env(SMYTH_PORT)")
    monkeypatch.delenv("SMYTH_PORT", raising=False)
    vault = await opened(write(tmp_path, {"default": {"url": "https://$env(SMYTH_HOST)/$env( SMYTH_PORT )"}}))
    assert await vault.names() == ["team/default/url", "url"]
    monkeypatch.setenv("SMYTH_PORT", "8443")
    # What a variable brings is not read again.
    assert await value(vault, "url") == "https://$env(SMYTH_PORT)/8443"


@pytest.mark.parametrize("state", ["unset", "empty"])
async def test_a_variable_that_is_not_set_is_named_and_the_text_around_it_is_not(tmp_path, monkeypatch, state):
    monkeypatch.delenv("SMYTH_KEY", raising=False)
    if state == "empty":
        monkeypatch.setenv("SMYTH_KEY", "")
    vault = await opened(write(tmp_path, {"default": {"db": f"{SECRET}$env(SMYTH_KEY)"}}))
    with pytest.raises(ConnectorError, match="'db' needs the environment variable 'SMYTH_KEY'") as missing:
        await vault.get("db")
    assert not isinstance(missing.value, NotFoundError)
    assert SECRET not in f"{missing.value} {missing.value.hint}"


async def test_what_only_looks_like_a_variable_is_part_of_the_secret(tmp_path):
    odd = "$env() $env(a b) $env(1X) env(HOME) $ENV(HOME) $env[HOME] {{KEY(x)}}"
    assert await value(await opened(write(tmp_path, {"default": {"odd": odd}})), "odd") == odd


async def test_a_changed_file_is_read_again(tmp_path):
    vault = await opened(write(tmp_path))
    assert await value(vault, "openai") == "sk-shared-1234"
    write(tmp_path, {"default": {"openai": "new"}})
    assert await value(vault, "openai") == "new"
    # Of the same size, and put in its place as editors do.
    other = tmp_path / "draft"
    other.write_text(json.dumps({"default": {"openai": "two"}}))
    other.replace(tmp_path / "vault.json")
    assert await value(vault, "openai") == "two"
    (tmp_path / "vault.json").unlink()
    with pytest.raises(ConnectorError, match="there is no vault file"):
        await vault.get("openai")


async def test_an_unchanged_file_is_not_read_again(tmp_path, monkeypatch):
    vault = await opened(write(tmp_path))
    await vault.ping()
    monkeypatch.setattr(Path, "open", None)
    assert await value(vault, "openai") == "sk-shared-1234"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_files_of_all_editors_are_read(tmp_path, encoding):
    path = tmp_path / "vault.json"
    path.write_text(json.dumps({"default": {"caf\u00e9": "\u4e16"}}, ensure_ascii=False), encoding=encoding)
    assert await value(await opened(path), "caf\u00e9") == "\u4e16"


async def test_a_key_is_found_however_its_letters_are_written(tmp_path):
    vault = await opened(write(tmp_path, {"default": {"cafe\u0301": SECRET}}))
    assert await value(vault, "caf\u00e9") == SECRET


WRONG = [
    ("", "not valid JSON: Expecting value"),
    (f'{{"default": {{"openai": "{SECRET}"}}', "not valid JSON: .*line 1"),
    (f'{{"default": {{"a": "{SECRET}", "a": "x"}}}}', "'a' stands there twice"),
    (f'{{"default": {{"a": "{SECRET}"}}, "default": {{}}}}', "'default' stands there twice"),
    (b'{"default": {"a": "' + SECRET.encode() + b'\xff"}}', "it is not text"),
    (f'["{SECRET}"]', "holds no teams"),
    (f'"{SECRET}"', "holds no teams"),
    (f'{{"openai": "{SECRET}"}}', "the keys of team 'openai' .* are no table"),
    (f'{{"default": {{"a": ["{SECRET}"]}}}}', "key 'a' of team 'default' .* is no text"),
    (f'{{"default": {{"a": null, "b": "{SECRET}"}}}}', "key 'a' of team 'default' .* is no text"),
    (f'{{"default": {{"a": "{SECRET}\\ud800"}}}}', "key 'a' of team 'default' .* is no text"),
    (f'{{"default": {{"a/b": "{SECRET}"}}}}', "'a/b' .* slash"),
    (f'{{"default": {{"team/ops/b": "{SECRET}"}}}}', "'team/ops/b' .* slash"),
    (f'{{"default": {{"..": "{SECRET}"}}}}', "no legal name"),
    (f'{{"default": {{"": "{SECRET}"}}}}', "no legal name"),
    (f'{{"default": {{"a\\nb": "{SECRET}"}}}}', "no legal name"),
    (f'{{"default": {{"caf\\u00e9": "{SECRET}", "cafe\\u0301": "x"}}}}', "stands there twice"),
    (f'{{"my team": {{"a": "{SECRET}"}}}}', "illegal team id 'my team'"),
    (f'{{"../x": {{"a": "{SECRET}"}}}}', r"illegal team id '\.\./x'"),
    (f'{{"encrypted": true, "algorithm": "aes-256-gcm", "data": "{SECRET}"}}', "is encrypted, in a form"),
    (base64.encodebytes(bytes(256)), "encrypted with an RSA key"),
    ("[" * 200_000, "nested too deep"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[message for _, message in WRONG])
async def test_a_file_that_is_no_vault_is_refused_without_a_secret_in_the_error(tmp_path, content, message):
    path = tmp_path / "vault.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with observe.output() as output:
        vault = await opened(path)
        for call in (vault.ping, vault.names, lambda: vault.get("a")):
            with pytest.raises(ConnectorError, match=message) as refused:
                await call()
            output.note(refused.value)
            assert str(path) in refused.value.message
            assert refused.value.hint
            # A debugger's log shows what an error came from, too.
            assert refused.value.__context__ is None or SECRET not in repr(vars(refused.value.__context__))
    assert SECRET not in output.text
    with pytest.raises(ConnectorError, match=message):
        read_smythos_vault(path)


async def test_a_huge_file_is_refused(tmp_path):
    path = write(tmp_path)
    os.truncate(path, 2**24 + 1)
    with pytest.raises(ConnectorError, match="larger than 16777216 bytes"):
        await (await opened(path)).ping()


async def test_a_path_that_is_no_file_is_refused(tmp_path):
    places = [tmp_path, tmp_path / "missing.json", tmp_path / "vault.json" / "below"]
    write(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        places.append(tmp_path / "pipe")
    for place in places:
        with pytest.raises(ConnectorError, match=re.escape(repr(str(place)))):
            await (await opened(place)).ping()


async def test_it_must_be_started(tmp_path):
    vault = await opened(write(tmp_path))
    await vault.stop()
    with pytest.raises(ConnectorError, match="not open"):
        await vault.get("openai")
