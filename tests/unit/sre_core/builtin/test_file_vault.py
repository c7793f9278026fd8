"""FileVault keeps the rules of a vault, and its file whole and closed."""

import base64
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import filelock
import platformdirs
import pytest
from pydantic import SecretStr, ValidationError

from sre_core.builtin.file_vault import FileVault, FileVaultSettings
from sre_core.builtin.sealed import LARGEST, MIN_COST
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnauthenticatedError, UnavailableError
from sre_core.testing.conformance.vault import VaultConformance

PASSPHRASE = SecretStr("correct horse battery")


class TestFileVaultWithAPassphrase(VaultConformance):
    def make(self):
        return FileVault(FileVaultSettings(path=self.folder / "vault", passphrase=PASSPHRASE, cost=MIN_COST))


class TestFileVaultWithAKeyFile(VaultConformance):
    @pytest.fixture(autouse=True)
    def key_file(self, tmp_path):
        new_key(tmp_path / "key")

    def make(self):
        return FileVault(FileVaultSettings(path=self.folder / "vault", key_file=self.folder / "key"))


def new_key(path: Path) -> Path:
    if not path.exists():
        path.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        path.chmod(0o600)
    return path


@pytest.fixture
def settings(tmp_path):
    return FileVaultSettings(path=tmp_path / "vault", key_file=new_key(tmp_path / "key"), lock_timeout=30)


@pytest.fixture
async def vault(settings):
    vault = FileVault(settings)
    await vault.start()
    await vault.set("kept", SecretStr("the-kept-secret"))
    yield vault
    await vault.stop()


async def opened(settings: FileVaultSettings, **changes) -> FileVault:
    vault = FileVault(settings.model_copy(update=changes))
    await vault.start()
    return vault


async def refused(vault: FileVault, kind: type[ConnectorError]) -> ConnectorError:
    """The error of reading; writing and deleting must raise the same, and none may change the file."""
    path = vault.settings.path
    before = path.read_bytes()
    calls = (vault.ping, vault.names, lambda: vault.get("kept"), lambda: vault.set("new", SecretStr("x")))
    for call in (*calls, lambda: vault.delete("kept")):
        with pytest.raises(ConnectorError) as error:
            await call()
        assert type(error.value) is kind
        assert error.value.hint
    assert path.read_bytes() == before
    return error.value


async def test_secrets_outlive_the_connector(vault, settings):
    await vault.stop()
    again = await opened(settings)
    assert (await again.get("kept")).get_secret_value() == "the-kept-secret"


async def test_the_file_shows_neither_names_nor_secrets(vault, settings):
    content = settings.path.read_bytes()
    assert b"kept" not in content
    assert content.startswith(b"SREVAULT")


async def test_the_files_are_for_the_user_alone(vault, settings):
    files = [file for file in settings.path.parent.iterdir() if file.name.startswith("vault")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_reading_a_vault_that_does_not_exist_writes_nothing(tmp_path):
    vault = await opened(FileVaultSettings(path=tmp_path / "deep" / "vault"))
    assert await vault.names() == []
    await vault.ping()
    with pytest.raises(NotFoundError, match="'openai'"):
        await vault.get("openai")
    assert list(tmp_path.iterdir()) == []


async def test_each_write_uses_a_new_nonce(vault, settings):
    seen = set()
    for _ in range(5):
        await vault.set("kept", SecretStr("one"))
        await vault.set("kept", SecretStr("two"))
        seen.add(settings.path.read_bytes())
    assert len(seen) == 5


# Damage


async def test_any_changed_byte_is_damage(vault, settings):
    content = settings.path.read_bytes()
    for at, byte in enumerate(content):
        for change in (0x01, 0x80, 0xFF):
            settings.path.write_bytes(content[:at] + bytes([byte ^ change]) + content[at + 1 :])
            with pytest.raises(ConnectorError) as error:
                await vault.names()
            assert type(error.value) is ConnectorError
    await refused(vault, ConnectorError)


async def test_every_truncation_is_damage(vault, settings):
    content = settings.path.read_bytes()
    for length in range(len(content)):
        settings.path.write_bytes(content[:length])
        with pytest.raises(ConnectorError) as error:
            await vault.names()
        assert type(error.value) is ConnectorError
    await refused(vault, ConnectorError)


async def test_more_bytes_at_the_end_are_damage(vault, settings):
    settings.path.write_bytes(settings.path.read_bytes() + b"\x00")
    await refused(vault, ConnectorError)


async def test_a_file_of_another_kind_is_refused(vault, settings):
    settings.path.write_bytes(b'{"openai": "sk-1234"}')
    assert "not a vault file" in str(await refused(vault, ConnectorError))


async def test_a_file_that_is_too_large_is_not_read(vault, settings):
    with settings.path.open("ab") as file:
        file.truncate(LARGEST + 1)
    assert "larger" in str(await refused(vault, ConnectorError))


# Keys


async def test_a_wrong_passphrase_is_unauthenticated(tmp_path):
    settings = FileVaultSettings(path=tmp_path / "vault", passphrase=PASSPHRASE, cost=MIN_COST)
    await (await opened(settings)).set("kept", SecretStr("the-kept-secret"))
    wrong = SecretStr("correct horse batterx")
    error = await refused(await opened(settings, passphrase=wrong), UnauthenticatedError)
    assert "batterx" not in f"{error!r} {error} {error.hint} {error.__cause__!r}"


async def test_a_wrong_key_file_is_unauthenticated(vault, settings, tmp_path):
    await refused(await opened(settings, key_file=new_key(tmp_path / "other")), UnauthenticatedError)


async def test_a_missing_key_file_is_unauthenticated_and_not_made(vault, settings, tmp_path):
    await refused(await opened(settings, key_file=tmp_path / "absent"), UnauthenticatedError)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 32, base64.b64encode(b"x" * 31), b"=" * 44])
async def test_a_malformed_key_file_is_a_config_error_that_does_not_quote_it(vault, settings, tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ConfigError, match="32 random bytes") as error:
        await (await opened(settings, key_file=tmp_path / "bad")).names()
    assert not content or content.decode(errors="replace") not in f"{error.value} {error.value.hint}"


async def test_the_other_kind_of_key_is_named(vault, settings, tmp_path):
    error = await refused(await opened(settings, key_file=None, passphrase=PASSPHRASE), UnauthenticatedError)
    assert "was made with a key file" in str(error)
    words = FileVaultSettings(path=tmp_path / "words", passphrase=PASSPHRASE, cost=MIN_COST)
    await (await opened(words)).set("kept", SecretStr("1"))
    key_file = settings.key_file
    error = await refused(await opened(words, passphrase=None, key_file=key_file), UnauthenticatedError)
    assert "was made with a passphrase" in str(error)


async def test_the_passphrase_may_lie_in_the_environment(tmp_path, monkeypatch):
    settings = FileVaultSettings(path=tmp_path / "vault", cost=MIN_COST, passphrase_env="OUR_WORDS")
    monkeypatch.setenv("OUR_WORDS", "from the environment")
    await (await opened(settings)).set("kept", SecretStr("1"))
    monkeypatch.delenv("OUR_WORDS")
    error = await refused(await opened(settings), UnauthenticatedError)
    assert "OUR_WORDS" in (error.hint or "")
    again = await opened(settings, passphrase=SecretStr("from the environment"))
    assert await again.names() == ["kept"]


def test_a_passphrase_and_a_key_file_together_are_refused(tmp_path):
    with pytest.raises(ValidationError, match="not both"):
        FileVaultSettings(passphrase=PASSPHRASE, key_file=tmp_path / "key")


def test_an_empty_passphrase_is_refused():
    with pytest.raises(ValidationError):
        FileVaultSettings(passphrase=SecretStr(""))


async def test_the_key_is_derived_once_and_forgotten_at_the_end(vault):
    derived = vault._key._derived
    await vault.set("new", SecretStr("1"))
    await vault.get("kept")
    assert vault._key._derived is derived
    await vault.stop()
    assert vault._key._derived is None


@pytest.fixture
def user_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_config_path", lambda name: tmp_path / "config" / name)
    monkeypatch.delenv("SRE_VAULT_PASSPHRASE", raising=False)
    return tmp_path / "config" / "sre"


async def test_with_nothing_configured_the_first_write_makes_a_key_file(tmp_path, user_folder):
    settings = FileVaultSettings(path=tmp_path / "vault")
    vault = await opened(settings)
    await vault.delete("missing")
    assert not user_folder.exists()
    await vault.set("openai", SecretStr("sk-1234"))
    key = user_folder / "vault.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert list(user_folder.iterdir()) == [key]
    second = await opened(settings, path=tmp_path / "second")
    await second.set("other", SecretStr("1"))
    assert await (await opened(settings)).names() == ["openai"]


async def test_a_lost_default_key_file_is_not_made_anew(tmp_path, user_folder):
    vault = await opened(FileVaultSettings(path=tmp_path / "vault"))
    await vault.set("kept", SecretStr("1"))
    (user_folder / "vault.key").unlink()
    await vault.stop()
    await vault.start()
    await refused(vault, UnauthenticatedError)
    assert list(user_folder.iterdir()) == []


# Processes and disks


def process(body: str, settings: FileVaultSettings, *arguments: str) -> subprocess.Popen[str]:
    """Another process with the same vault."""
    program = textwrap.dedent("""
        import asyncio, resource, sys
        from pathlib import Path
        from pydantic import SecretStr
        from sre_core.builtin.file_vault import FileVault, FileVaultSettings
        from sre_core.errors import ConnectorError
        async def main():
            vault = FileVault(FileVaultSettings(path=Path(sys.argv[1]), key_file=Path(sys.argv[2]), lock_timeout=60))
            await vault.start()
        {}
        asyncio.run(main())
    """).format(textwrap.indent(textwrap.dedent(body), "    "))
    command = [sys.executable, "-c", program, str(settings.path), str(settings.key_file), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(child: subprocess.Popen[str]) -> str:
    output, errors = child.communicate(timeout=300)
    assert child.returncode == 0, errors
    return output


async def test_processes_that_write_at_once_lose_no_secret(settings):
    body = "for number in range(10): await vault.set(f'{sys.argv[3]}-{number}', SecretStr('1'))"
    children = [process(body, settings, name) for name in "abc"]
    for child in children:
        finished(child)
    vault = await opened(settings)
    assert await vault.names() == sorted(f"{name}-{number}" for name in "abc" for number in range(10))


async def test_a_process_killed_while_it_writes_leaves_the_old_file_or_the_new_one(vault, settings):
    body = """
        for number in range(1_000_000):
            await vault.set('large', SecretStr(str(number) * 20_000))
            print(number, flush=True)
    """
    for lines in (1, 2, 3, 5, 8):
        child = process(body, settings)
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        child.kill()
        child.communicate(timeout=300)
        assert (await vault.get("kept")).get_secret_value() == "the-kept-secret"
        assert set((await vault.get("large")).get_secret_value()) <= set("0123456789")
        await vault.set("after", SecretStr(str(lines)))
    assert not settings.path.with_name("vault.new").exists()


async def test_a_half_written_draft_is_overwritten(vault, settings):
    settings.path.with_name("vault.new").write_bytes(b"SREVAULT half")
    assert await vault.names() == ["kept"]
    await vault.set("new", SecretStr("1"))
    assert await vault.names() == ["kept", "new"]


async def test_a_full_disk_is_a_clear_error_and_the_old_file_stays(vault, settings):
    body = """
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            await vault.set('large', SecretStr('x' * 20_000))
        except ConnectorError as error:
            print(type(error).__name__, error.hint)
    """
    assert "ConnectorError check" in finished(process(body, settings))
    assert await vault.names() == ["kept"]
    assert not settings.path.with_name("vault.new").exists()


async def test_a_lock_that_is_held_too_long_is_unavailable(vault, settings):
    patient = await opened(settings, lock_timeout=0.05)
    with filelock.FileLock(f"{settings.path}.lock"), pytest.raises(UnavailableError, match="locked"):
        await patient.set("new", SecretStr("1"))


async def test_a_vault_behind_a_link_stays_behind_it(vault, settings, tmp_path):
    (tmp_path / "link").symlink_to(settings.path)
    linked = await opened(settings, path=tmp_path / "link")
    await linked.set("new", SecretStr("1"))
    assert (tmp_path / "link").is_symlink()
    assert await vault.names() == ["kept", "new"]


async def test_a_call_before_start_says_so(settings):
    with pytest.raises(ConnectorError, match="not open"):
        await FileVault(settings).get("kept")
