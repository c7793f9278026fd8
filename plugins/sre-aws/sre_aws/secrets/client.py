"""Secrets through the driver; only `Connector.start` imports this, and with it the driver."""

import asyncio
import re
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

from sre_aws.errors import error_code
from sre_aws.secrets.names import Names
from sre_aws.secrets.settings import SecretsManagerSettings
from sre_aws.session import AwsClient
from sre_core.errors import ConfigError, ConflictError, ConnectorError, NotFoundError

__all__ = ["Secrets"]

_LARGEST = 65_536
"""Bytes that AWS keeps in one secret."""

# AWS has no other sign for it: InvalidRequestException stands for many things.
_MARKED = re.compile(r"(marked|scheduled)( for)? delet")
_ONE = frozenset({"ARN", "Name"})
"""What a reply about one secret tells of it."""

_PAGE = 100
_TRIES = 8
_PAUSE = 0.01
"""Seconds, doubled each time: a name that is to become free has more than two seconds for it."""


class Secrets:
    """The secrets of one account and region below one prefix."""

    def __init__(self, settings: SecretsManagerSettings) -> None:
        """Opens nothing."""
        self.client = AwsClient("secretsmanager", settings)
        self._settings = settings
        self._names = Names(settings.prefix)

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, also for one that waits for its end."""
        what = f"reading secret {name!r}"
        try:
            reply = await self._call("get_secret_value", what, SecretId=self._names.theirs(name))
        except _DeletedError as error:
            raise NotFoundError(
                f"secret {name!r} was deleted", hint=f"AWS can restore it for a while; or: sre vault set {name}"
            ) from error
        if isinstance(text := reply.get("SecretString"), str):
            return SecretStr(text)
        if not isinstance(raw := reply.get("SecretBinary"), bytes):
            raise ConnectorError(f"{what}: the reply of {self.client.at} holds no secret", hint="check url")
        try:
            return SecretStr(raw.decode())
        except UnicodeDecodeError:
            # Raised outside the handler: the error of the decoder holds all bytes.
            pass
        raise ConnectorError(f"secret {name!r} is binary, and no text", hint="keep it as base64 text")

    async def names(self) -> list[str]:
        """All names below the prefix, sorted."""
        filters = [{"Key": "name", "Values": [self._names.begin]}] if self._names.begin else []
        found: set[str] = set()
        more: dict[str, str] = {}
        while True:
            reply = await self._call("list_secrets", "listing secrets", MaxResults=_PAGE, Filters=filters, **more)
            names = (self._names.ours(str(entry.get("Name", ""))) for entry in reply["SecretList"])
            found.update(name for name in names if name is not None)
            if not reply.get("NextToken"):
                return sorted(found)
            more = {"NextToken": reply["NextToken"]}

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret: as a new version of the old one, else as a new one; a deleted one is restored for it."""
        text = secret.get_secret_value()
        if (size := _size(text)) is None:
            raise ConfigError(f"secret {name!r} is not Unicode text", hint="keep binary secrets as base64 text")
        if not 1 <= size <= _LARGEST:
            raise ConfigError(
                f"secret {name!r} has {size} bytes; AWS keeps 1 to {_LARGEST}",
                hint="forget it instead" if not size else "keep it in storage, encrypted, and its key here",
            )
        what, full = f"setting secret {name!r}", self._names.theirs(name)
        created = {} if self._settings.kms_key_id is None else {"KmsKeyId": self._settings.kms_key_id}
        for earlier in range(_TRIES):
            if earlier:
                await asyncio.sleep(_PAUSE * 2**earlier)
            # Others may create, delete and restore it at the same time, so what one call says may be past at the next.
            with suppress(NotFoundError, _DeletedError):
                try:
                    await self._call("update_secret", what, SecretId=full, SecretString=text)
                    return
                except _DeletedError:
                    await self._call("restore_secret", what, SecretId=full)
                    continue
            # AWS may take a while until the name of one that was deleted for good is free again.
            with suppress(ConflictError, _DeletedError):
                await self._call("create_secret", what, Name=full, SecretString=text, **created)
                return
        raise ConflictError(
            f"secret {name!r} is created and deleted all the time, or not gone yet", hint="try again later"
        )

    async def delete(self, name: str) -> None:
        """Forget a secret; one that is missing, or waits for its end, is no error."""
        days = self._settings.recovery_days
        how: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        with suppress(_DeletedError):
            try:
                await self._call("delete_secret", f"deleting secret {name!r}", SecretId=self._names.theirs(name), **how)
            except NotFoundError as error:
                # The page of a proxy that finds nothing says nothing about the secret.
                if error_code(error.__cause__) != "ResourceNotFoundException":
                    raise

    async def check(self) -> None:
        """List one secret."""
        await self._call("list_secrets", "listing secrets", MaxResults=1)

    async def _call(self, operation: str, what: str, **parameters: Any) -> Any:
        """The reply. Raises _DeletedError when the secret is marked for deletion, ConnectorError where it is none."""
        try:
            reply = await self.client.call(operation, what, **parameters)
        except ConnectorError as error:
            if error_code(error.__cause__) == "InvalidRequestException" and _MARKED.search(str(error.__cause__)):
                raise _DeletedError(error.message, hint=error.hint) from error
            raise
        # The driver reads a page of somebody else as an empty reply.
        if not reply.keys() & ({"SecretList"} if operation == "list_secrets" else _ONE):
            raise ConnectorError(f"{what}: the reply of {self.client.at} is not of Secrets Manager", hint="check url")
        return reply


def _size(text: str) -> int | None:
    """Its bytes in UTF-8; None if it has no such form. The error of the encoder would hold all of it."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


class _DeletedError(ConnectorError):
    """The secret is there, and is going to be deleted."""
