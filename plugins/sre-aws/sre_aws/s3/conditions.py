"""Whether a server that stands in for S3 heeds conditions, or reads over them as some do."""

import asyncio
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from sre_core.errors import ConflictError, ConnectorError, NotFoundError, UnsupportedError

if TYPE_CHECKING:
    from sre_aws.s3.bucket import Bucket

__all__ = ["Conditions"]

_NOBODYS_TAG = f'"{"0" * 32}"'

_Request = Literal["put", "complete", "delete"]


class Conditions:
    """Asks once for each kind of request, before anybody relies on it: with a condition that cannot hold."""

    def __init__(self, bucket: "Bucket") -> None:
        """Asks nothing yet."""
        self._bucket = bucket
        self._known: dict[_Request, bool] = {}
        self._turn = asyncio.Lock()

    async def heeded(self, request: _Request) -> bool:
        """Whether conditions are heeded by a plain upload, by the end of one in parts, or by a deletion."""
        # S3 itself does, and a user may know it of a server.
        if self._bucket.client.url is None or not self._bucket.settings.verify_conditions:
            return True
        async with self._turn:
            if request not in self._known:
                self._known[request] = await self._try_out(request)
            return self._known[request]

    async def demand(self, request: _Request) -> None:
        """Raises UnsupportedError where conditions are not heeded."""
        if not await self.heeded(request):
            how = {"put": "", "complete": " when the parts of an upload are put together", "delete": " of deletions"}
            raise UnsupportedError(
                f"the server at {self._bucket.client.at} does not heed conditions{how[request]}, so another write "
                "could be lost",
                hint="write without if_version, or use a server that heeds If-Match",
            )

    async def _try_out(self, request: _Request) -> bool:
        name = self._bucket.keys.probe(secrets.token_hex(8))
        if request == "delete":
            return await self._refused(self._call("delete_object", Key=name, IfMatch=_NOBODYS_TAG))
        try:
            if request == "complete":
                return await self._refused(self._complete(name))
            if not await self._refused(self._call("put_object", Key=name, Body=b"", IfMatch=_NOBODYS_TAG)):
                return False
            await self._call("put_object", Key=name, Body=b"")
            return await self._refused(self._call("put_object", Key=name, Body=b"", IfNoneMatch="*"))
        finally:
            with suppress(ConnectorError):
                await self._call("delete_object", Key=name)

    async def _refused(self, call: Coroutine[Any, Any, object]) -> bool:
        """Whether the server says that the condition of a call does not hold."""
        try:
            await call
        except (ConflictError, NotFoundError):
            return True
        except UnsupportedError:
            # It does not know conditions, and says so.
            return False
        return False

    async def _complete(self, name: str) -> None:
        begun = await self._call("create_multipart_upload", Key=name)
        where = {"Key": name, "UploadId": begun["UploadId"]}
        try:
            part = await self._call("upload_part", PartNumber=1, Body=b"", **where)
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            await self._call("complete_multipart_upload", MultipartUpload=parts, IfMatch=_NOBODYS_TAG, **where)
        except BaseException:
            with suppress(ConnectorError):
                await self._call("abort_multipart_upload", **where)
            raise

    async def _call(self, operation: str, **parameters: object) -> dict[str, str]:
        reply: dict[str, str] = await self._bucket.call(operation, "trying out conditions", **parameters)
        return reply
