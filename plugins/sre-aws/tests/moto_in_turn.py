"""The moto server, with two things that S3 does and moto does not.

moto looks at the condition of a request, and then does what it asks, while other threads do the same: two writers
with one condition may both win. Here requests are answered one at a time. And moto reads over `If-Match` when an
upload in parts is completed (it knows `If-None-Match` there, and both for plain uploads and deletions); here that is
looked at. Run it with the port as its argument; the files of a certificate and its key may follow.
"""

import io
import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.exceptions import MissingKey, PreconditionFailed
from moto.s3.responses import S3Response
from werkzeug.serving import run_simple


class InTurn:
    """An application that answers one request after the other."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._turn = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunked = environ.get("wsgi.input_terminated")
        length = -1 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        # Before its turn: a client that sends slowly holds up nobody.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self._turn:
            return list(self._moto(environ, start_response))


_post = S3Response._key_response_post


def _post_with_condition(self: S3Response, request: Any, body: bytes, bucket: str, query: Any, key: str) -> Any:
    wanted = request.headers.get("If-Match")
    if query.get("uploadId") and wanted is not None:
        found = self.backend.get_object(bucket, key)
        if found is None:
            raise MissingKey(key=key)
        if found.etag.strip('"') != wanted.strip('"'):
            raise PreconditionFailed("If-Match")
    return _post(self, request, body, bucket, query, key)


if __name__ == "__main__":
    if "--plain" not in sys.argv:
        S3Response._key_response_post = _post_with_condition  # type: ignore[method-assign]
    tls = (sys.argv[2], sys.argv[3]) if len(sys.argv) > 3 else None
    run_simple(
        "127.0.0.1", int(sys.argv[1]), InTurn(), threaded=True, request_handler=MotoRequestHandler, ssl_context=tls
    )
