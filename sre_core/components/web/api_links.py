"""Links by which an API may fetch a file of the agent's, for as long as the call takes."""

import secrets
from types import TracebackType
from typing import Any, Self

from sre_core import logs
from sre_core.components.context import ComponentContext
from sre_core.components.files import read_file
from sre_core.errors import ComponentError, ConnectorError

__all__ = ["TemporaryLinks"]

log = logs.get_logger(__name__)

# Seconds that a link lives longer than the call may take.
_MARGIN = 60.0


class TemporaryLinks:
    """Copies files to places of their own, gives links to them, and deletes the copies at the end of the block."""

    def __init__(self, context: ComponentContext, seconds: float) -> None:
        """`seconds` is how long the call may take."""
        self._context = context
        self._seconds = seconds + _MARGIN
        self._paths: list[str] = []

    async def share(self, value: Any, *, from_caller: bool) -> str:
        """A link to the file that `value` means, read as the caller or as the agent. Raises as `read_file` does."""
        storage = self._context.storage
        if "url" not in storage.capabilities:
            raise ComponentError(
                "the URL holds a file of the storage, which has no public links",
                hint='send the file in the body, or keep files in a storage with the capability "url", such as s3',
            )
        file = await read_file(value, self._context, from_caller=from_caller)
        path = f"_temp/{secrets.token_hex(16)}"
        # Known before it is written, so that a write that was cancelled half-way is cleaned up too.
        self._paths.append(path)
        await storage.write(path, file.data, content_type=file.media_type)
        if "expire" in storage.capabilities:
            await storage.expire(path, self._seconds)
        return await storage.url(path, self._seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self._paths:
            try:
                await self._context.storage.delete(path)
            except ConnectorError as failure:
                # The call is done, and its link ends by itself.
                log.warning("temporary_file_stays", path=path, error=failure.code)
