"""A server made with the official package, which runs in a thread and keeps the headers that it was sent."""

import socket
import threading
from types import TracebackType
from typing import Annotated, Any, Literal, Self

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, ImageContent, TextContent
from pydantic import BaseModel, Field


class Point(BaseModel):
    """A place on a map."""

    x: float
    y: float


class RealServer:
    """The tools `add`, `far`, `fail`, `picture`, `odd.name/1`, `table` and `long`, at `url`.

    With a `token`, requests without it are refused. `idle` is set while no request is open.
    """

    def __init__(self, transport: Literal["streamable-http", "sse"], *, token: str = "", tools: bool = True) -> None:
        self.received: list[dict[str, str]] = []
        self.idle = threading.Event()
        self._open = 0
        self.token = token
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        place = "mcp" if transport == "streamable-http" else "sse"
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/{place}"
        mcp = _server(tools=tools)
        self._app: Any = mcp.streamable_http_app() if transport == "streamable-http" else mcp.sse_app()
        config = uvicorn.Config(
            self._keep, ws="none", interface="asgi3", log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        self._socket.close()

    async def _keep(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.received.append({**headers, ":method": scope["method"]})
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        self._open += 1
        self.idle.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            if not self._open:
                self.idle.set()


def _server(*, tools: bool) -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer("test", instructions="Use the tools for all sums.")
    if not tools:
        return server

    @server.tool()
    def add(a: Annotated[int, Field(description="the first")], b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def far(points: list[Point], unit: Literal["km", "mi"]) -> str:
        """How far it is along these points."""
        return f"{len(points)} points in {unit}"

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise ValueError("the tool is broken")

    @server.tool()
    def picture() -> CallToolResult:
        """A picture."""
        return CallToolResult(
            content=[
                TextContent(type="text", text="Here it is."),
                ImageContent(type="image", data="AAAA", mime_type="image/png"),
            ]
        )

    @server.tool(name="odd.name/1")
    def odd() -> str:
        """A tool with an odd name."""
        return "odd"

    @server.tool()
    def table() -> dict[str, int]:
        """A table."""
        return {"a": 1}

    @server.tool()
    def long() -> str:
        """A long text."""
        return "x" * 60_000

    return server
