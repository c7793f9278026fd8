"""One bucket through the driver: the single requests that everything else is made of."""

import email.utils
import io
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from sre_aws.s3.conditions import Conditions
from sre_aws.s3.keys import Keys
from sre_aws.s3.metadata import Head, read_head
from sre_aws.s3.replies import check_reply
from sre_aws.s3.settings import S3Settings
from sre_aws.session import AwsClient
from sre_core.errors import ConnectorError, NotFoundError

__all__ = ["Bucket", "body", "written_at"]

_SMALL = 1 << 20
"""Bytes up to which the HTTP client may be given a body as one piece."""

_REDIRECTIONS = (301, 302, 307)


class _Client(AwsClient):
    """A client for S3; what it is to do by itself depends on whether a server stands in for it."""

    _settings: S3Settings

    def options(self) -> Mapping[str, Any]:
        addressing, checksums = self._settings.addressing, self._settings.checksums
        if addressing == "auto":
            # With the driver's own auto, links lead to the wrong region at first, if the bucket is a new one.
            addressing = "virtual" if self.url is None else "path"
        always = checksums == "always" or (checksums == "auto" and self.url is None)
        when = "when_supported" if always else "when_required"
        return {
            "signature_version": "s3v4",
            "s3": {"addressing_style": addressing},
            "request_checksum_calculation": when,
            "response_checksum_validation": when,
        }


class Bucket:
    """The requests, with the bucket's name in them and in their errors."""

    def __init__(self, settings: S3Settings) -> None:
        """Opens nothing."""
        self.settings = settings
        self.name = settings.bucket
        self.keys = Keys(settings.prefix)
        self.client = _Client("s3", settings)
        self.conditions = Conditions(self)

    async def open(self) -> None:
        """Find credentials, and the bucket. Raises ConfigError, ConnectorError; `close` cleans up."""
        await self.client.open()
        events = self.client.driver.meta.events
        events.register_last("before-call.s3", _send_at_once)
        events.register_first("needs-retry.s3.HeadBucket", _stop_asking)
        await self.check()

    async def close(self) -> None:
        """Close the connections; safe to call twice, and whatever became of `open`."""
        await self.client.close()

    async def call(self, operation: str, what: str, **parameters: Any) -> Any:
        """The reply to an operation that is about this bucket. Raises ConnectorError, also for a reply of others."""
        what = f"{what} in bucket {self.name!r}"
        reply = await self.client.call(operation, what, Bucket=self.name, **parameters)
        check_reply(operation, what, reply)
        return reply

    async def check(self) -> None:
        """Ask for the bucket itself. Raises NotFoundError, UnauthenticatedError, UnavailableError."""
        await self.client.call("head_bucket", f"looking for bucket {self.name!r}", Bucket=self.name)

    async def head(self, key: str) -> Head | None:
        """What is known of an object, expired or not; None when there is none."""
        name = self.keys.theirs(key)
        try:
            reply = await self.call("head_object", f"looking at {key!r}", Key=name)
        except NotFoundError:
            return None
        return read_head(key, reply)

    async def put(self, key: str, data: bytes, described: Mapping[str, Any], **condition: str) -> Any:
        """Upload an object in one piece."""
        name = self.keys.theirs(key)
        return await self.call("put_object", f"writing {key!r}", Key=name, Body=body(data), **described, **condition)

    async def put_note(self, key: str, expires: float) -> None:
        """Leave a note that an object may expire at a time in seconds since the epoch."""
        await self.call("put_object", f"noting when {key!r} expires", Key=self.keys.note(key, expires), Body=b"")

    async def remove(self, what: str, name: str, **condition: str) -> None:
        """Delete what has this name in the bucket; nothing is no error."""
        await self.call("delete_object", what, Key=name, **condition)

    async def names(self, prefix: str) -> AsyncGenerator[list[Mapping[str, Any]]]:
        """All names that begin so, in order, as pages of entries with Key, Size, ETag and LastModified.

        Our own notes are left out, unless `prefix` asks for them.
        """
        where: dict[str, str] = {}
        own = self.keys.own_within(prefix)
        while True:
            reply = await self.call("list_objects_v2", f"listing {prefix!r}", Prefix=prefix, **where)
            found = reply.get("Contents") or []
            entries = [entry for entry in found if own is None or not entry["Key"].startswith(own)]
            if entries:
                yield entries
            if not reply["IsTruncated"]:
                return
            if own is not None and found and found[-1]["Key"].startswith(own):
                # There may be thousands of them.
                where = {"StartAfter": self.keys.behind_own}
            elif "NextContinuationToken" in reply:
                where = {"ContinuationToken": reply["NextContinuationToken"]}
            else:
                raise ConnectorError(f"listing {prefix!r}: the list goes on, and the server does not say where")


def body(data: bytes) -> bytes | io.BytesIO:
    """`data` as the HTTP client likes it: from a file it sends piece by piece, and lets others have their turn."""
    return data if len(data) <= _SMALL else io.BytesIO(data)


def written_at(reply: Mapping[str, Any]) -> float:
    """When the server answered, by its own clock: a reply to an upload does not tell when the object was made."""
    date = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return time.time()


def _send_at_once(params: Mapping[str, Any], **_: object) -> None:
    """Let a small body follow its headers: the driver would wait for a word of the server, once more there and back."""
    sent = params.get("body")
    if isinstance(sent, io.BytesIO) and sent.getbuffer().nbytes <= _SMALL:
        params["headers"].pop("Expect", None)


def _stop_asking(response: tuple[Any, Any] | None, operation: Any, **_: object) -> None:
    """Raises for a redirection that does not say where the bucket is: the driver would ask for it again, for ever."""
    if response is None:
        return
    reply, parsed = response
    if reply.status_code in _REDIRECTIONS and "x-amz-bucket-region" not in parsed["ResponseMetadata"]["HTTPHeaders"]:
        raise ClientError(parsed, operation.name)
