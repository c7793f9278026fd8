"""Each rule of the vault kit catches a vault that breaks it."""

import asyncio
from types import MappingProxyType
from typing import ClassVar

import pytest
from pydantic import SecretStr

from sre_core.connectors import Connector, Service, Settings, VaultConnector
from sre_core.errors import NotFoundError
from sre_core.testing.conformance.vault import VaultConformance
from tests.unit.sre_core.testing.conformance.twins import failing


class Kit(VaultConformance):
    patience: ClassVar[float] = 5.0
    known = MappingProxyType({"openai": "sk-known-1234"})


RULES = {name for name in vars(VaultConformance) if name.startswith("test_")}


class Good(VaultConnector):
    """Keeps every rule."""

    name = "good"
    capabilities = frozenset({"write"})

    def __init__(self, settings):
        super().__init__(settings)
        self.secrets = dict(Kit.known)

    async def get(self, name):
        await asyncio.sleep(0)
        if name not in self.secrets:
            raise NotFoundError(f"no secret {name!r}")
        return SecretStr(self.secrets[name])

    async def names(self):
        return sorted(self.secrets)

    async def set(self, name, secret):
        await asyncio.sleep(0)
        self.secrets[name] = secret.get_secret_value()

    async def delete(self, name):
        self.secrets.pop(name, None)


class ReadOnly(Good):
    """Keeps every rule, and nothing new."""

    capabilities = frozenset()

    async def set(self, name, secret):
        raise self.unsupported("write")

    async def delete(self, name):
        raise self.unsupported("write")


class NoVault(Connector):
    """Does all that a vault does, and is none."""

    service = Service.VAULT
    name = "none"
    capabilities = Good.capabilities

    def __init__(self, settings):
        super().__init__(settings)
        vault = Good(settings)
        self.get, self.names, self.set, self.delete = vault.get, vault.names, vault.set, vault.delete


class NotASecretString(Good):
    """Gives something that only looks like SecretStr."""

    async def get(self, name):
        secret = await super().get(name)

        class Shy:
            def get_secret_value(self):
                return secret.get_secret_value()

        return Shy()


class FindsTheParent(Good):
    """Gives the secret of "a" for "a/b"."""

    async def get(self, name):
        try:
            return await super().get(name)
        except NotFoundError:
            return await super().get(name.rpartition("/")[0])


class Unsorted(Good):
    """Lists names as they came."""

    async def names(self):
        return list(self.secrets)


class ListsFolders(Good):
    """Lists what lies above a secret, too."""

    async def names(self):
        return sorted({*self.secrets, *(name.split("/")[0] for name in self.secrets)})


class Prints(Good):
    """Tells everybody."""

    async def set(self, name, secret):
        print(secret.get_secret_value())
        await super().set(name, secret)


class WritesInSecret(Good):
    """Does not declare what it can do."""

    capabilities = frozenset()


class Strips(Good):
    """Keeps no spaces at the ends."""

    async def set(self, name, secret):
        await super().set(name, SecretStr(secret.get_secret_value().strip()))


class KeepsTheFirst(Good):
    """Never replaces a secret."""

    async def set(self, name, secret):
        if name not in self.secrets:
            await super().set(name, secret)


class DeletesBelow(Good):
    """Forgets "a/b" with "a"."""

    async def delete(self, name):
        for other in list(self.secrets):
            if other == name or other.startswith(f"{name}/"):
                del self.secrets[other]


class RemembersNames(Good):
    """Lists what was deleted."""

    def __init__(self, settings):
        super().__init__(settings)
        self.deleted = set()

    async def names(self):
        return sorted({*self.secrets, *self.deleted})

    async def delete(self, name):
        if name in self.secrets:
            self.deleted.add(name)
        await super().delete(name)


class MissesMissing(Good):
    """Cannot delete what is not there."""

    async def delete(self, name):
        await self.get(name)
        await super().delete(name)


class UndoesWrites(Good):
    """Reads all, waits, writes all."""

    async def set(self, name, secret):
        copy = dict(self.secrets)
        await asyncio.sleep(0)
        self.secrets = {**copy, name: secret.get_secret_value()}


WRITING = {
    "test_a_secret_reads_back_letter_for_letter",
    "test_setting_again_replaces_the_secret",
    "test_a_name_and_a_path_below_it_are_two_secrets",
    "test_a_deleted_secret_is_missing",
    "test_deleting_a_missing_secret_is_no_error",
    "test_secrets_set_at_once_are_all_kept",
}
TWINS = [
    (NoVault, "test_it_is_a_vault", set()),
    (NotASecretString, "test_a_secret_reads_back_as_a_secret_string", set()),
    (FindsTheParent, "test_a_missing_secret_is_not_found", set()),
    (Unsorted, "test_names_are_sorted_and_have_what_the_vault_holds", set()),
    (ListsFolders, "test_every_name_can_be_read", set()),
    (Prints, "test_no_log_line_and_no_repr_shows_what_it_keeps", set()),
    (WritesInSecret, "test_without_the_capability_writing_is_unsupported", WRITING),
    (Strips, "test_a_secret_reads_back_letter_for_letter", set()),
    (KeepsTheFirst, "test_setting_again_replaces_the_secret", set()),
    (DeletesBelow, "test_a_name_and_a_path_below_it_are_two_secrets", set()),
    (RemembersNames, "test_a_deleted_secret_is_missing", set()),
    (MissesMissing, "test_deleting_a_missing_secret_is_no_error", set()),
    (
        UndoesWrites,
        "test_secrets_set_at_once_are_all_kept",
        {"test_twenty_calls_at_once_do_not_mix_their_answers"},
    ),
]


@pytest.mark.parametrize(("kind", "rule", "too"), TWINS, ids=[kind.__name__ for kind, _, _ in TWINS])
def test_a_vault_that_breaks_a_rule_fails_its_test(kind, rule, too):
    found = {name.partition("[")[0] for name in failing(Kit, lambda: kind(Settings()))}
    assert found == {rule} | too


def test_every_rule_has_a_twin():
    assert {rule for _, rule, _ in TWINS} == RULES


@pytest.mark.parametrize("kind", [Good, ReadOnly])
def test_a_vault_that_keeps_the_rules_fails_none(kind):
    assert failing(Kit, lambda: kind(Settings())) == set()


class UnknownKit(VaultConformance):
    """What `sre plugins check` runs: nobody told it what the vault holds."""


def test_a_read_only_vault_is_checked_with_what_it_lists():
    assert failing(UnknownKit, lambda: ReadOnly(Settings())) == set()


def test_an_empty_read_only_vault_cannot_be_checked():
    class Empty(ReadOnly):
        """Holds nothing."""

        def __init__(self, settings):
            super().__init__(settings)
            self.secrets = {}

    assert "test_a_secret_reads_back_as_a_secret_string" in failing(UnknownKit, lambda: Empty(Settings()))
