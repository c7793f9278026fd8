"""The credentials of this machine, within the limits of the settings."""

from collections.abc import Awaitable
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport

from sre_azure.errors import no_token, token_failure, token_refusal
from sre_azure.settings import AzureSettings
from sre_core.errors import ConfigError, SREError

__all__ = ["Identity"]

_EVERYWHERE = "http://169.254.169.254/"
"""Where machines of Azure's are told who they are. Others ask there too, and learn that nobody is there."""


class Identity:
    """What Azure's library finds on this machine, as it wants credentials to be.

    Of several kinds it tries each in turn, and calls all that fails a refusal. Here a service of tokens that is busy,
    silent or cut off is called what it is.
    """

    def __init__(self, settings: AzureSettings) -> None:
        """Look for no credentials yet. Raises ConfigError when the package for it is missing."""
        self._transport = _Watched(settings)
        self._chain = _package().DefaultAzureCredential(transport=self._transport, retry_total=settings.retries)

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token, and when it ends."""
        return await self._told(self._chain.get_token(*scopes, **options))

    async def get_token_info(self, *scopes: str, **options: Any) -> Any:
        """A token, with all that is known of it."""
        return await self._told(self._chain.get_token_info(*scopes, **options))

    async def close(self) -> None:
        """Close all connections."""
        await self._chain.close()

    async def _told(self, asking: Awaitable[Any]) -> Any:
        failed = self._transport.failed
        failed.set(None)
        try:
            return await asking
        except AzureError as error:
            failure = failed.get()
            if failure is not None:
                raise failure from None
            # With a status, for which it would be taken for the storage's.
            raise no_token() from error


class _Watched(AioHttpTransport):  # type: ignore[misc]  # they load it when it is asked for
    """Knows how the last request failed, if it may be sent again later."""

    def __init__(self, settings: AzureSettings) -> None:
        super().__init__(connection_timeout=settings.connect_timeout, read_timeout=settings.timeout)
        # Several calls may ask at once.
        self.failed: ContextVar[SREError | None] = ContextVar("failed", default=None)

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request."""
        where: str = request.url.partition("?")[0]
        try:
            reply = await super().send(request, **options)
        except AzureError as error:
            self.failed.set(token_failure(error, where, guessed=where.startswith(_EVERYWHERE)))
            raise
        self.failed.set(token_refusal(reply.status_code, where, reply.headers))
        return reply


def _package() -> Any:
    try:
        return import_module("azure.identity.aio")
    except ImportError as error:
        raise ConfigError(
            "the credentials of this machine need the package azure-identity",
            hint="pip install 'sre-azure[identity]', or set `account_key`, `sas_token` or `connection_string`",
        ) from error
