"""Milvus Lite: the engine in this process, behind a socket that only this user can open."""

# mypy: disable-error-code="import-untyped"

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite
from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError
from pymilvus.grpc_gen import milvus_pb2_grpc

from sre_core.errors import ConfigError, ConnectorError, UnavailableError

__all__ = ["LiteServer"]

_LARGEST_MESSAGE = 256 << 20
_PATIENCE = 5.0


class LiteServer:
    """Serves the folder `file` until it is closed; all methods block.

    One thread does the work: the engine is not made for two writers, nor for a reader beside one that moves its data
    from memory to disk. pymilvus would start it with ten threads, on a port that everybody on this machine can use.
    """

    def __init__(self, file: Path) -> None:
        """Open the folder, made if it is missing. Raises UnavailableError when it is in use, and ConnectorError."""
        self._database = _open(file)
        self._socket: Path | None = None
        try:
            self._server = grpc.server(
                ThreadPoolExecutor(1, thread_name_prefix="milvus-lite"),
                options=[
                    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
                    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
                ],
            )
            milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(self._database), self._server)
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
        finally:
            self._database.close()
            self._remove_socket()

    def _listen(self) -> str:
        """The address, as gRPC wants it."""
        if os.name == "nt":
            return f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        # In a folder of its own, which has the mode 0700; beside the data its path may be too long for a socket.
        self._socket = Path(tempfile.mkdtemp(prefix="sre-milvus-")) / "socket"
        address = f"unix:{self._socket}"
        self._server.add_insecure_port(address)
        return address

    def _remove_socket(self) -> None:
        if self._socket is not None:
            shutil.rmtree(self._socket.parent, ignore_errors=True)


def _open(file: Path) -> MilvusLite:
    if file.is_file():
        raise ConfigError(
            f"{str(file)!r} is a file, and Milvus Lite 3 keeps its data in a folder",
            hint="name another path; what Milvus Lite 2 has written is read by its own release only",
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return MilvusLite(str(file))
    except DataDirLockedError as error:
        raise UnavailableError(
            f"the Milvus file {str(file)!r} is in use by another connector or process",
            hint="only one may have it; run a Milvus server for several",
        ) from error
    except OSError as error:
        raise ConnectorError(
            f"cannot open the Milvus file {str(file)!r}: {error.strerror or type(error).__name__}"
        ) from error
    except (MilvusLiteError, ValueError) as error:
        raise ConnectorError(
            f"the Milvus file {str(file)!r} cannot be read: {type(error).__name__}",
            hint="a newer version may have written it, or it was altered",
        ) from error
