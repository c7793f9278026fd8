"""The engine of Milvus Lite behind a door: credentials, TLS, and answers that a test puts in its place."""

import base64
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

ANSWERS = {
    "CreateIndex": None,
    "Query": milvus_pb2.QueryResults,
    "Search": milvus_pb2.SearchResults,
    "Upsert": milvus_pb2.MutationResult,
}


PATIENCE = 30.0


class Held:
    """A call that its server has, and leaves without an answer until its client is gone."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.gone = threading.Event()

    def wait(self, request: Any, context: Any) -> bytes:
        context.add_callback(self.gone.set)
        self.came.set()
        self.gone.wait(PATIENCE)
        return b""


class Door(grpc.ServerInterceptor):
    """Lets calls in whose token is right, as a Milvus server with authorization does. Counts them by method."""

    def __init__(self, token: str) -> None:
        self.wanted = base64.b64encode(token.encode()).decode() if token else None
        self.calls: list[str] = []
        self.instead: dict[str, deque[Any]] = {}
        """Per method, the statuses to answer with before the engine is asked again."""
        self.held: dict[str, Held] = {}
        """Per method, what becomes of the next call."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        method = details.method.rpartition("/")[2]
        self.calls.append(method)
        shown = dict(details.invocation_metadata).get("authorization")
        if self.wanted is not None and shown != self.wanted:
            return grpc.unary_unary_rpc_method_handler(refuse)
        if method in self.held:
            return grpc.unary_unary_rpc_method_handler(self.held.pop(method).wait)
        queue = self.instead.get(method)
        if not queue:
            return continuation(details)
        status = queue.popleft()
        kind = ANSWERS[method]
        answer = status if kind is None else kind(status=status)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: answer, response_serializer=type(answer).SerializeToString
        )


def refuse(request: Any, context: Any) -> None:
    shown = dict(context.invocation_metadata()).get("authorization", "")
    # Servers have been seen to quote what they refuse.
    context.abort(grpc.StatusCode.UNAUTHENTICATED, f"auth check failure, please check api key [{shown}]")


def status(code: int, reason: str, *, retriable: bool = False) -> Any:
    return common_pb2.Status(code=code, reason=reason, retriable=retriable)


@contextmanager
def engine(folder: Path, *, token: str = "", credentials: Any = None) -> Iterator[tuple[int, Door]]:
    """Its port on loopback, and its door."""
    door = Door(token)
    database = MilvusLite(str(folder))
    server = grpc.server(ThreadPoolExecutor(1), interceptors=[door])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port, door
    finally:
        server.stop(None).wait()
        database.close()
