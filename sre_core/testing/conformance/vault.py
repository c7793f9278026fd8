"""The rules of VaultConnector, as tests that any vault can run."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import pytest
from pydantic import SecretStr

from sre_core.connectors.base import Connector
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import ConnectorError, NotFoundError, UnsupportedError
from sre_core.testing.conformance import observe
from sre_core.testing.conformance.lifecycle import LifecycleConformance

__all__ = ["VaultConformance"]


class VaultConformance(LifecycleConformance):
    """Subclass it with `make`, as LifecycleConformance tells. Names are random, so a shared server can be used.

    A vault that cannot write should have `known` as well: without, the kit takes what it reads for true.
    """

    known: Mapping[str, str] = {}
    """Secrets that the backend holds already. A vault with the capability "write" needs none."""

    @pytest.fixture(autouse=True)
    def _new_names(self) -> None:
        self._home = f"agent/kit-{uuid.uuid4().hex}"
        self._used: set[str] = set()

    @pytest.fixture
    async def vault(self, connector: VaultConnector) -> AsyncIterator[VaultConnector]:
        """The started connector; the secrets that a test set are forgotten afterwards."""
        yield connector
        if "write" in connector.capabilities:
            for name in self._used:
                with suppress(ConnectorError):
                    await connector.delete(name)

    def secret(self, name: str) -> str:
        """The name of a secret that only this test uses."""
        name = f"{self._home}/{name}"
        self._used.add(name)
        return name

    async def exercise(self, connector: VaultConnector, token: str) -> None:
        """Keep a secret and read it back; where that is not possible, read those that are known."""
        if "write" in connector.capabilities:
            name = self.secret(token)
            await connector.set(name, SecretStr(token))
            assert (await connector.get(name)).get_secret_value() == token
            await connector.delete(name)
        for name, value in (await self._known(connector)).items():
            assert (await connector.get(name)).get_secret_value() == value

    async def _known(self, vault: VaultConnector) -> dict[str, str]:
        """What the backend holds already."""
        if self.known or "write" in vault.capabilities:
            return dict(self.known)
        listed = {name: (await vault.get(name)).get_secret_value() for name in await vault.names()}
        assert listed, "there is no secret to read: give the kit `known`, or let the backend of this vault hold one"
        return listed

    async def _held(self, vault: VaultConnector) -> dict[str, str]:
        """What the backend holds already, and new secrets if the vault can write."""
        held = await self._known(vault)
        if "write" in vault.capabilities:
            for name in ("zeta", "alpha"):
                held[self.secret(name)] = uuid.uuid4().hex
                await vault.set(self.secret(name), SecretStr(held[self.secret(name)]))
        return held

    # Reading

    def test_it_is_a_vault(self) -> None:
        """It derives from VaultConnector."""
        made: Connector = self.make()
        assert isinstance(made, VaultConnector)

    async def test_a_secret_reads_back_as_a_secret_string(self, vault: VaultConnector) -> None:
        """`get` gives the text that is kept, as SecretStr."""
        for name, value in (await self._held(vault)).items():
            secret = await vault.get(name)
            assert isinstance(secret, SecretStr), f"get returned {type(secret).__name__}, not SecretStr"
            assert secret.get_secret_value() == value

    async def test_a_missing_secret_is_not_found(self, vault: VaultConnector) -> None:
        """`get` raises NotFoundError: a name alone, a path, and one below a name that exists."""
        held = await self._held(vault)
        for name in (f"kit-{uuid.uuid4().hex}", self.secret("missing"), f"{next(iter(held))}/below"):
            with pytest.raises(NotFoundError):
                await vault.get(name)

    async def test_names_are_sorted_and_have_what_the_vault_holds(self, vault: VaultConnector) -> None:
        """`names` is a sorted list without doubles, with the full names of all secrets."""
        held = await self._held(vault)
        names = await vault.names()
        assert isinstance(names, list), f"names returned {type(names).__name__}, not a list"
        assert names == sorted(set(names)), "the names are not sorted, or one is there twice"
        missing = set(held) - set(names)
        assert not missing, f"names leaves out {sorted(missing)}"

    async def test_every_name_can_be_read(self, vault: VaultConnector) -> None:
        """What `names` lists, `get` finds."""
        await self._held(vault)
        for name in await vault.names():
            try:
                await vault.get(name)
            except NotFoundError:
                pytest.fail(f"names lists {name!r}, and get does not find it")

    async def test_no_log_line_and_no_repr_shows_what_it_keeps(self, vault: VaultConnector) -> None:
        """Neither reading, writing nor failing shows a secret in a log, on the screen, in a repr or an error."""
        with observe.output() as output:
            held = await self._held(vault)
            for name in held:
                output.stream.write(f"{await vault.get(name)!r}\n")
            await vault.names()
            try:
                await vault.get(self.secret("missing"))
            except ConnectorError as error:
                output.note(error)
            output.stream.write(f"{vault!r} {vault.settings!r}")
        shown = [name for name, value in held.items() if value in output.text]
        assert not shown, f"logs, output, errors or reprs show the secrets {shown}"

    # Capability "write"

    async def test_without_the_capability_writing_is_unsupported(self, vault: VaultConnector) -> None:
        """Declared, `set` and `delete` work; not declared, both raise UnsupportedError."""
        if not await self._refuses_to_write(vault):
            await vault.set(self.secret("new"), SecretStr("value"))
            await vault.delete(self.secret("new"))

    @pytest.mark.parametrize(
        "value",
        ["plain", " spaces around ", "two\nlines\r\n", '{"a": "\\u00e9"}', "\u00e9\u4e16\U0001f511", "x" * 4096],
        ids=["plain", "spaces", "lines", "json", "unicode", "long"],
    )
    async def test_a_secret_reads_back_letter_for_letter(self, vault: VaultConnector, value: str) -> None:
        """Any text can be a secret."""
        if await self._refuses_to_write(vault):
            return
        await vault.set(self.secret("new"), SecretStr(value))
        assert (await vault.get(self.secret("new"))).get_secret_value() == value

    async def test_setting_again_replaces_the_secret(self, vault: VaultConnector) -> None:
        """The later one stays, under one name."""
        if await self._refuses_to_write(vault):
            return
        for value in ("the first one", "second"):
            await vault.set(self.secret("new"), SecretStr(value))
        assert (await vault.get(self.secret("new"))).get_secret_value() == "second"
        assert (await vault.names()).count(self.secret("new")) == 1

    async def test_a_name_and_a_path_below_it_are_two_secrets(self, vault: VaultConnector) -> None:
        """ "a" and "a/b" may both exist, and one can be deleted without the other."""
        if await self._refuses_to_write(vault):
            return
        await vault.set(self.secret("a"), SecretStr("above"))
        await vault.set(self.secret("a/b"), SecretStr("below"))
        assert (await vault.get(self.secret("a"))).get_secret_value() == "above"
        await vault.delete(self.secret("a"))
        assert (await vault.get(self.secret("a/b"))).get_secret_value() == "below"

    async def test_a_deleted_secret_is_missing(self, vault: VaultConnector) -> None:
        """`get` no longer finds it, and `names` no longer has it."""
        if await self._refuses_to_write(vault):
            return
        await vault.set(self.secret("new"), SecretStr("value"))
        await vault.delete(self.secret("new"))
        with pytest.raises(NotFoundError):
            await vault.get(self.secret("new"))
        assert self.secret("new") not in await vault.names()

    async def test_deleting_a_missing_secret_is_no_error(self, vault: VaultConnector) -> None:
        """`delete` of what is not there returns."""
        if await self._refuses_to_write(vault):
            return
        await vault.delete(self.secret("missing"))

    async def test_secrets_set_at_once_are_all_kept(self, vault: VaultConnector) -> None:
        """No write undoes another one's."""
        if await self._refuses_to_write(vault):
            return
        values = {self.secret(f"new-{number}"): str(number) for number in range(10)}
        async with asyncio.timeout(self.patience):
            await asyncio.gather(*(vault.set(name, SecretStr(value)) for name, value in values.items()))
        kept = {name: (await vault.get(name)).get_secret_value() for name in values}
        assert kept == values

    async def _refuses_to_write(self, vault: VaultConnector) -> bool:
        """Whether "write" is not declared; then `set` and `delete` must raise UnsupportedError."""
        if "write" in vault.capabilities:
            return False
        with pytest.raises(UnsupportedError):
            await vault.set(self.secret("refused"), SecretStr("value"))
        with pytest.raises(UnsupportedError):
            await vault.delete(self.secret("refused"))
        return True
