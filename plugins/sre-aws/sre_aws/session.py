"""One client of the driver for one AWS service, with its errors as ours; only `Connector.start` imports this."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.httpsession import AIOHTTPSession  # type: ignore[import-untyped]
from aiobotocore.session import AioSession  # type: ignore[import-untyped]
from botocore.configprovider import ConfiguredEndpointProvider  # type: ignore[import-untyped]

from sre_aws.errors import FOREIGN, UNREADABLE, translate
from sre_aws.settings import AwsSettings
from sre_core.errors import ConfigError, ConnectorError

__all__ = ["AwsClient"]

_STAND_IN_REGION = "us-east-1"
"""For a server that stands in for AWS and that nobody gave a region: something has to be signed."""


class AwsClient:
    """A client for `service`, as "s3" or "bedrock-runtime": opened once, called by many tasks at once, closed.

    A cancelled call closes its connection.
    """

    def __init__(self, service: str, settings: AwsSettings, options: Mapping[str, Any] | None = None) -> None:
        """`options` are further arguments of the driver's Config. Opens nothing."""
        self.at = "AWS"
        """The address, for messages; known once it is open."""
        self.url = settings.url
        """Of a server that stands in for AWS, which the environment and `~/.aws/config` may name as well; known once
        it is open. None for AWS itself."""
        self._service = service
        self._settings = settings
        self._options = dict(options or {})
        self._client: Any = None
        self._stack: AsyncExitStack | None = None

    @property
    def driver(self) -> Any:
        """The driver's own client. Raises ConnectorError when it is not open."""
        if self._client is None:
            raise ConnectorError(f"the client for {self._service} is not open", hint="start the connector before use")
        return self._client

    async def open(self) -> None:
        """Find credentials and region, and get ready; asks no service yet. Raises ConfigError, UnauthenticatedError.

        May be cancelled; `close` cleans up.
        """
        _quiet_driver()
        ca_file = self._settings.ca_file
        if ca_file is not None and not await asyncio.to_thread(ca_file.is_file):
            raise ConfigError(f"there is no file {str(ca_file)!r} with certificates", hint="check ca_file")
        self._stack = AsyncExitStack()
        try:
            # In a thread: reading a service's description takes a good part of a second.
            session = await asyncio.to_thread(self._session)
            self.url = self._settings.url or _configured_url(session, self._service)
            opened = session.create_client(self._service, **self._arguments(session))
            self._client = await self._stack.enter_async_context(opened)
        except FOREIGN as error:
            raise translate(error, f"opening a client for {self._service}", at=self.url or "AWS") from error
        self.at = self._client.meta.endpoint_url

    async def close(self) -> None:
        """Close all connections. Safe to call twice, and after an `open` that failed."""
        self._client = None
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    async def call(self, operation: str, what: str, **parameters: Any) -> Any:
        """The reply to one operation, as "get_object". `what` says what it is for, if it fails.

        A body that streams is for the caller to close. Raises ConnectorError, ConfigError.
        """
        method = getattr(self.driver, operation)
        try:
            return await method(**parameters)
        except (*FOREIGN, *UNREADABLE) as error:
            raise translate(error, what, at=self.at) from error

    def error(self, error: BaseException, what: str) -> BaseException:
        """One of FOREIGN that a stream of this client raised, as ours."""
        return translate(error, what, at=self.at)

    def options(self) -> Mapping[str, Any]:
        """Further arguments of the driver's Config, once `url` is known."""
        return self._options

    def _session(self) -> AioSession:
        session = AioSession(profile=self._settings.profile)
        session.warm_up_loader_caches(self._service)
        return session

    def _arguments(self, session: AioSession) -> dict[str, Any]:
        settings = self._settings
        region = settings.region or session.get_config_variable("region")
        if region is None and self.url is not None:
            region = _STAND_IN_REGION
        config = AioConfig(
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.timeout,
            max_pool_connections=settings.pool,
            retries={"total_max_attempts": settings.retries + 1, "mode": "standard"},
            # Said once: what the driver says by itself it puts together for each request, a tenth of its own work.
            user_agent=f"{session.user_agent()} sre-runtime",
            http_session_cls=_Session,
            **self.options(),
        )
        arguments = {"region_name": region, "endpoint_url": self.url, "config": config}
        if settings.ca_file is not None:
            arguments["verify"] = str(settings.ca_file)
        for argument, secret in (
            ("aws_access_key_id", settings.access_key_id),
            ("aws_secret_access_key", settings.secret_access_key),
            ("aws_session_token", settings.session_token),
        ):
            if secret is not None:
                arguments[argument] = secret.get_secret_value()
        return arguments


class _Session(AIOHTTPSession):  # type: ignore[misc]  # the driver has no types
    """The driver's HTTP client. A redirection would carry tokens, and secrets that are set, to whom it names."""

    async def _get_session(self, proxy_url: str | None) -> "_Direct":
        return _Direct(await super()._get_session(proxy_url))


class _Direct:
    """Follows no redirection. The driver itself still asks in another region, if S3 says that a bucket is there."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def request(self, method: str, **arguments: Any) -> Any:
        return self._session.request(method, allow_redirects=False, **arguments)


def _configured_url(session: AioSession, service: str) -> str | None:
    """What AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and the like say, or the profile."""
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    configured = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), service)
    url: str | None = configured.provide()
    return url


def _quiet_driver() -> None:
    """Keep secrets out of logs: at level debug, the driver logs requests and replies whole, with all they hold.

    Whoever wants to see that sets a level of their own on these two loggers.
    """
    for name in ("aiobotocore", "botocore"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            # Never a lower level than they have from their parents: that would let more through than before.
            logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
