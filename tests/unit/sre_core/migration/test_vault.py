"""Secrets arrive, are shown nowhere, and are left alone where they are the same."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.builtin.env_vault import EnvVault, EnvVaultSettings
from sre_core.builtin.file_vault import FileVault, FileVaultSettings
from sre_core.errors import ConfigError, UnauthenticatedError, UnsupportedError
from sre_core.migration import Outcome, VaultCopy
from tests.unit.sre_core.migration.ends import Diary, end_of

SECRETS = {"openai": "sk-4711", "team/ops/token": "hunter2", "team/opsx": "sk-0815"}


async def vault(folder: Path, name: str, kind: type[FileVault] = FileVault, **secrets: str) -> FileVault:
    made = kind(FileVaultSettings(path=folder / name, passphrase=SecretStr(name), cost=14))
    await made.start()
    for key, secret in secrets.items():
        await made.set(key, SecretStr(secret))
    return made


def counts(report: Any) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.outcomes.items() if count}


async def test_all_secrets_arrive_and_a_second_copy_changes_nothing(tmp_path: Path) -> None:
    source, target = await vault(tmp_path, "one", **SECRETS), await vault(tmp_path, "two", openai="old")
    diary = Diary()
    copy = VaultCopy(end_of(source), end_of(target), listener=diary)
    assert (await copy.survey()).names == ("openai", "team/ops/token", "team/opsx")
    report = await copy.run()
    assert (counts(report), report.ok, diary.size) == ({"copied": 2, "replaced": 1}, True, 3)
    assert {name: (await target.get(name)).get_secret_value() for name in await target.names()} == SECRETS
    assert counts(await VaultCopy(end_of(source), end_of(target)).run()) == {"same": 3}
    assert diary.of(Outcome.REPLACED) == ["openai"]


async def test_a_prefix_is_compared_by_its_parts(tmp_path: Path) -> None:
    source, target = await vault(tmp_path, "one", **SECRETS), await vault(tmp_path, "two")
    await VaultCopy(end_of(source), end_of(target), prefix="team/ops").run()
    assert await target.names() == ["team/ops/token"]


async def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    source, target = await vault(tmp_path, "one", **SECRETS), await vault(tmp_path, "two")
    assert counts(await VaultCopy(end_of(source), end_of(target)).run(write=False)) == {"copied": 3}
    assert await target.names() == []


async def test_a_vault_that_cannot_be_written_to_is_no_target(tmp_path: Path) -> None:
    target = EnvVault(EnvVaultSettings())
    with pytest.raises(UnsupportedError, match="cannot be written to"):
        await VaultCopy(end_of(await vault(tmp_path, "one", **SECRETS)), end_of(target)).run()


class Odd(FileVault):
    """Refuses one secret, and keeps another otherwise than it was told."""

    async def set(self, name: str, secret: SecretStr) -> None:
        if name == "openai":
            raise ConfigError(f"illegal name {name!r}")
        await super().set(name, SecretStr("mangled") if name == "team/opsx" else secret)


async def test_what_goes_wrong_is_told_without_a_secret(tmp_path: Path) -> None:
    source, target = await vault(tmp_path, "one", **SECRETS), await vault(tmp_path, "two", Odd)
    report = await VaultCopy(end_of(source), end_of(target)).run()
    assert {one.name: one.why for one in report.differences} == {
        "openai": "illegal name 'openai'",
        "team/opsx": "it reads back otherwise than it was written",
    }
    assert counts(report) == {"copied": 1}
    assert not any(secret in repr(report) for secret in (*SECRETS.values(), "mangled"))


async def test_a_vault_that_cannot_be_opened_ends_the_copy(tmp_path: Path) -> None:
    source = await vault(tmp_path, "one", **SECRETS)
    await vault(tmp_path, "two", x="y")
    locked = FileVault(FileVaultSettings(path=tmp_path / "two", passphrase=SecretStr("wrong"), cost=14))
    with pytest.raises(UnauthenticatedError):
        await VaultCopy(end_of(source), end_of(locked)).run()
