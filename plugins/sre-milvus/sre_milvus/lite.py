"""Milvus Lite: the engine in this process, behind a socket that only this user can open."""

# mypy: disable-error-code="import-untyped"

import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import COLLECTIONS_DIRNAME, SCHEMA_FILENAME, MilvusLite
from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

from sre_core.errors import ConfigError, ConnectorError, UnavailableError

__all__ = ["LiteServer"]

_LARGEST_MESSAGE = 256 << 20
_LONGEST_SOCKET = 100
"""Bytes of a path that every system takes for a socket; on macOS it may have 103."""

_PATIENCE = 5.0
_FAILED = 5
"""The status of a failure that another attempt would not mend."""

_UNFORESEEN = 1
"""The engine's status for whatever it did not foresee."""


class LiteServer:
    """Serves the folder `file` until it is closed; all methods block.

    One thread does the work: the engine is not made for two writers, nor for a reader beside one that moves its data
    from memory to disk. pymilvus would start it with ten threads, on a port that everybody on this machine can use.
    """

    def __init__(self, file: Path) -> None:
        """Open the folder, made if it is missing. Raises UnavailableError when it is in use, and ConnectorError."""
        self._database = _open(file)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="milvus-lite")
        self._socket: Path | None = None
        try:
            self._server = grpc.server(
                self._worker,
                options=[
                    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
                    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
                ],
            )
            milvus_pb2_grpc.add_MilvusServiceServicer_to_server(
                _Servicer(self._database, file / COLLECTIONS_DIRNAME), self._server
            )
            self.address = self._listen()
            self._server.start()
        except BaseException:
            self._database.close()
            self._remove_socket()
            raise

    def close(self) -> None:
        """End what is under way, then write and unlock the folder."""
        try:
            self._server.stop(_PATIENCE).wait()
            # A call that was cancelled is over for gRPC, but not for the engine.
            self._worker.shutdown()
        finally:
            self._database.close()
            self._remove_socket()

    def _listen(self) -> str:
        """The address, as gRPC wants it. Raises ConnectorError."""
        try:
            if os.name == "nt":
                return f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
            # In a folder of its own, which has the mode 0700; beside the data its path may be too long for a socket.
            folder = Path(tempfile.gettempdir())
            if len(os.fsencode(folder / "sre-milvus-12345678" / "socket")) > _LONGEST_SOCKET:
                folder = Path("/tmp")  # noqa: S108 -- what is made there is ours alone
            self._socket = Path(tempfile.mkdtemp(prefix="sre-milvus-", dir=folder)) / "socket"
            address = f"unix:{quote(os.fsencode(self._socket))}"
            self._server.add_insecure_port(address)
        except (OSError, RuntimeError) as error:
            raise ConnectorError(
                f"Milvus Lite has no place to listen at: {error}", hint="let TMPDIR name a folder for temporary files"
            ) from error
        return address

    def _remove_socket(self) -> None:
        if self._socket is not None:
            shutil.rmtree(self._socket.parent, ignore_errors=True)


class _Servicer(MilvusServicer):  # type: ignore[misc]  # it has no types
    """The engine's, which does not stand by what a kill or a full disk leaves of its files.

    It would go on behind the torn end of a log, where nobody reads after a crash: after a change that could not be
    written, this takes no other. And it would not load a collection with half a file of an index: this removes it, and
    so has it built again.
    """

    def __init__(self, database: MilvusLite, folder: Path) -> None:
        super().__init__(database)
        self._folder = folder
        self._failure = ""

    def LoadCollection(self, request: Any, context: Any) -> Any:  # noqa: N802 -- the name in the protocol
        answer = super().LoadCollection(request, context)
        if answer.code != _UNFORESEEN:
            return answer
        for indexes in (self._folder / request.collection_name).glob("partitions/*/indexes"):
            shutil.rmtree(indexes, ignore_errors=True)
        return super().LoadCollection(request, context)

    def Upsert(self, request: Any, context: Any) -> Any:  # noqa: N802 -- likewise
        return self._changed(super().Upsert, request, context)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802 -- likewise
        return self._changed(super().Delete, request, context)

    def _changed(self, change: Callable[[Any, Any], Any], request: Any, context: Any) -> Any:
        if self._failure:
            reason = f"after {self._failure!r} it takes no change until it is opened again"
            return milvus_pb2.MutationResult(status=common_pb2.Status(code=_FAILED, reason=reason))
        answer = change(request, context)
        if answer.status.reason.startswith("[Errno "):
            self._failure = answer.status.reason
        return answer


def _open(file: Path) -> MilvusLite:
    try:
        if file.is_file():
            raise ConfigError(
                f"{str(file)!r} is a file, and Milvus Lite 3 keeps its data in a folder",
                hint="name another path; what Milvus Lite 2 has written is read by its own release only",
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        database = MilvusLite(str(file))
    except DataDirLockedError as error:
        raise UnavailableError(
            f"the Milvus file {str(file)!r} is in use by another connector or process",
            hint="only one may have it; run a Milvus server for several",
        ) from error
    except OSError as error:
        raise ConnectorError(
            f"cannot open the Milvus file {str(file)!r}: {error.strerror or type(error).__name__}",
            hint="check that it may be written there, and that there is room",
        ) from error
    except (MilvusLiteError, ValueError) as error:
        raise ConnectorError(
            f"the Milvus file {str(file)!r} cannot be read: {type(error).__name__}",
            hint="a newer version may have written it, or it was altered",
        ) from error
    _tidy(file / COLLECTIONS_DIRNAME)
    return database


def _tidy(folder: Path) -> None:
    """Remove the rests of collections whose making was broken off: with these, they could never be made again."""
    for child in folder.iterdir():
        with suppress(OSError):
            if not (child / SCHEMA_FILENAME).exists():
                (child / f"{SCHEMA_FILENAME}.tmp").unlink(missing_ok=True)
                child.rmdir()  # unless there is more in it
