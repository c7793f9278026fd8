"""One connection to a server that speaks Milvus's protocol: calls with a deadline, attempts, and errors of ours.

Not the asynchronous client of pymilvus 3.0: it calls what Milvus Lite does not have when it makes an index, ignores the
status of a deletion, tries again for as long as its time-out lasts, prints each failure with its traceback, and keeps
connections and schemas per process. Its requests and messages are what is used here.
"""

# mypy: disable-error-code="import-untyped"

import asyncio
import base64
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

from sre_core.errors import ConfigError, DeadlineError, RateLimitedError, SREError, UnavailableError
from sre_milvus.errors import of_rpc, of_status
from sre_milvus.settings import MilvusSettings

__all__ = ["Client"]

_LONGEST_WAIT = 5.0

_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A connection is ours alone, and is tried again soon after its server came back.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
# As pymilvus has them: a cut cable is found out within fifteen seconds. A socket on this machine has no cable.
_KEEPALIVE = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class Client:
    """Belongs to the running event loop. Safe to close twice, and before it was opened."""

    def __init__(self, address: str, settings: MilvusSettings) -> None:
        """`address` is as gRPC wants it. Raises ConfigError when a certificate cannot be read."""
        self.place = settings.place
        self._settings = settings
        self._secrets = _secrets(settings)
        self._metadata = _metadata(settings)
        self._channel = _channel(address, settings)
        self._stub: Any = milvus_pb2_grpc.MilvusServiceStub(self._channel)

    async def open(self) -> None:
        """Say hello, which checks the address and the credentials. Raises UnavailableError, UnauthenticatedError."""
        request = Prepare.register_request(self._settings.user or "", socket.gethostname())
        try:
            answer = await self._once("Connect", request, self._settings.connect_timeout)
        except DeadlineError as error:
            raise UnavailableError(
                f"{self.place} does not answer within {self._settings.connect_timeout:g} s", hint="is the server up?"
            ) from error
        self._metadata += (("identifier", str(answer.identifier)),)

    async def close(self) -> None:
        """Break off what is under way."""
        self._stub = None
        await self._channel.close()

    async def ping(self) -> None:
        """Raise UnavailableError unless the server answers."""
        await self.call("GetVersion", milvus_pb2.GetVersionRequest())

    async def call(self, method: str, request: Any) -> Any:
        """The answer to a request, in the given time. What was lost on its way, or came too often, is sent again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.timeout
        wait = self._settings.retry_wait
        for attempts_left in range(self._settings.retries, -1, -1):
            try:
                return await self._once(method, request, deadline - loop.time())
            except (UnavailableError, RateLimitedError):
                # Another attempt needs time for more than the wait.
                if not attempts_left or self._stub is None or loop.time() + 2 * wait > deadline:
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, method: str, request: Any, seconds: float) -> Any:
        if self._stub is None:
            raise UnavailableError(f"the connection to {self.place} is closed", hint="use it through a Runtime")
        failure: SREError | None
        try:
            answer = await getattr(self._stub, method)(request, timeout=seconds, metadata=self._metadata)
            failure = of_status(getattr(answer, "status", answer), self.place, self._secrets)
        except grpc.aio.AioRpcError as error:
            failure = of_rpc(error, self.place, self._secrets)
            # What quotes a secret cannot stand behind our error, whose causes are shown.
            if not any(secret in str(error) for secret in self._secrets):
                raise failure from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Closing the channel cancels its calls, but not those who wait for them.
            raise UnavailableError(f"the connection to {self.place} was closed meanwhile") from None
        if failure is not None:
            raise failure
        return answer


def _channel(address: str, settings: MilvusSettings) -> Any:
    options: list[tuple[str, Any]] = [*_OPTIONS, *(() if settings.file is not None else _KEEPALIVE)]
    # In spite of its name: how long an attempt to connect may take.
    options.append(("grpc.min_reconnect_backoff_ms", max(1, round(settings.connect_timeout * 1000))))
    if not settings.tls:
        return grpc.aio.insecure_channel(address, options=options)
    if settings.server_name is not None:
        options.append(("grpc.ssl_target_name_override", settings.server_name))
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(settings.ca_file, "ca_file"),
        private_key=_read(settings.key_file, "key_file"),
        certificate_chain=_read(settings.cert_file, "cert_file"),
    )
    return grpc.aio.secure_channel(address, credentials, options=options)


def _read(file: Path | None, setting: str) -> bytes | None:
    if file is None:
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{setting} {str(file)!r} cannot be read: {error.strerror}", hint="name a PEM file"
        ) from error


def _metadata(settings: MilvusSettings) -> tuple[tuple[str, str], ...]:
    """What goes with every call."""
    found = [("dbname", settings.database)]
    if settings.token is not None:
        found.append(("authorization", _base64(settings.token.get_secret_value())))
    elif settings.user is not None and settings.password is not None:
        found.append(("authorization", _base64(f"{settings.user}:{settings.password.get_secret_value()}")))
    return tuple(found)


def _secrets(settings: MilvusSettings) -> Sequence[str]:
    """What no message may show, also as it is sent."""
    plain = [secret.get_secret_value() for secret in (settings.token, settings.password) if secret is not None]
    plain += [secret.partition(":")[2] for secret in plain]
    sent = [value for name, value in _metadata(settings) if name == "authorization"]
    return [secret for secret in (*sent, *plain) if secret]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
