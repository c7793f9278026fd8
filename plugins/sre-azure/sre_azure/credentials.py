"""A client of the service with the credentials that the settings mean."""

from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import AzureError
from azure.storage.blob.aio import BlobServiceClient

from sre_azure.identity import Identity
from sre_azure.retries import Retries
from sre_azure.settings import AzureSettings
from sre_azure.transport import Transport
from sre_core.errors import ConfigError

__all__ = ["Access"]


class Access:
    """A client, and what its links can be signed with; `stop` closes it."""

    def __init__(self, service: BlobServiceClient, account: str | None, ambient: Identity | None) -> None:
        """`ambient` are the credentials of the machine, if they are those of `service`."""
        self.service = service
        self.account = str(account or service.account_name)
        self._ambient = ambient

    @classmethod
    async def open(cls, settings: AzureSettings) -> "Access":
        """Make a client; asks nothing of the service.

        Raises ConfigError when the credentials cannot be read, or the package for those of the machine is missing.
        """
        secrets = (settings.connection_string, settings.account_key, settings.sas_token)
        ambient = None if any(secrets) else Identity(settings)
        transport = Transport(settings)
        try:
            return cls(_client(settings, _credential(settings) or ambient, transport), settings.account, ambient)
        except (AzureError, AttributeError, KeyError, TypeError, ValueError):
            await transport.close()
            # Without its cause: that may quote a secret.
            raise ConfigError(
                "the credentials for Azure cannot be read", hint="copy them again, from the portal's Access keys"
            ) from None

    @property
    def account_key(self) -> str | None:
        """The key of the account, if that is how we come in."""
        key: str | None = getattr(self.service.credential, "account_key", None)
        return key

    @property
    def asks_for_keys(self) -> bool:
        """Whether the service gives us keys to sign links with."""
        return self._ambient is not None

    async def stop(self) -> None:
        """Close all connections."""
        try:
            await self.service.close()
        finally:
            if self._ambient is not None:
                await self._ambient.close()


def _client(settings: AzureSettings, credential: Any, transport: Transport) -> BlobServiceClient:
    options: dict[str, Any] = {
        "transport": transport,
        "retry_policy": Retries(settings.retries),
        "max_single_put_size": settings.piece_bytes,
        "max_single_get_size": settings.piece_bytes,
        "max_chunk_get_size": settings.piece_bytes,
    }
    if settings.connection_string is not None:
        return BlobServiceClient.from_connection_string(settings.connection_string.get_secret_value(), **options)
    endpoint = settings.endpoint or f"https://{settings.account}.blob.core.windows.net"
    return BlobServiceClient(endpoint, credential=credential, **options)


def _credential(settings: AzureSettings) -> Any:
    if settings.account_key is not None:
        return AzureNamedKeyCredential(settings.account or "", settings.account_key.get_secret_value())
    if settings.sas_token is not None:
        return AzureSasCredential(settings.sas_token.get_secret_value().removeprefix("?"))
    return None
