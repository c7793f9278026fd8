"""Links that open a blob without credentials."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobClient

from sre_azure.credentials import Access
from sre_azure.errors import translated
from sre_core.errors import ConfigError

__all__ = ["Links"]

_LONGEST = 7 * 86400.0  # seconds that a key to sign with is given for at most
_LONG = 100 * 365 * 86400.0  # seconds of a link that is signed with our own key
_SPARE = 3600.0  # seconds that a key should be good for beyond what is asked of it, so that the next call can use it
_CLOCKS = 300.0  # seconds that our clock may be ahead of theirs


class Links:
    """Signs with the key of the account, or with one that the service gives to the credentials of the machine."""

    def __init__(self, access: Access, where: str) -> None:
        self._access = access
        self._where = where
        self._given: Any = None
        self._given_until = 0.0
        self._asking = asyncio.Lock()

    @property
    def can_sign(self) -> bool:
        """Whether there is a key, or a way to get one."""
        return self._access.account_key is not None or self._access.asks_for_keys

    async def sign(self, blob: BlobClient, seconds: float) -> str:
        """A link to a blob. Raises ConfigError when it should live too long."""
        given = self._access.account_key is None
        if not 0 < seconds <= (_LONGEST if given else _LONG):
            raise ConfigError(
                f"a link cannot live for {seconds:g} seconds",
                hint="it must be above 0, and a week at most unless it is signed with the key of the account",
            )
        until = time.time() + seconds
        key = {"user_delegation_key": await self._key(until)} if given else {"account_key": self._access.account_key}
        with translated("signing a link", self._where):
            signature = generate_blob_sas(
                account_name=self._access.account,
                container_name=blob.container_name,
                blob_name=blob.blob_name,
                permission=BlobSasPermissions(read=True),
                # It counts in whole seconds.
                expiry=datetime.fromtimestamp(until, UTC) + timedelta(seconds=1),
                **key,
            )
        return f"{blob.url}?{signature}"

    async def _key(self, until: float) -> Any:
        async with self._asking:
            now = time.time()
            if self._given_until < until:
                last = min(max(until, now + _SPARE), now + _LONGEST)
                with translated("asking for a key to sign links with", self._where):
                    self._given = await self._access.service.get_user_delegation_key(
                        key_start_time=datetime.fromtimestamp(now - _CLOCKS, UTC),
                        key_expiry_time=datetime.fromtimestamp(last, UTC),
                    )
                self._given_until = last
            return self._given
