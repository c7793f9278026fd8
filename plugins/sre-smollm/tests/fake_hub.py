"""A hub on loopback that serves a model and can be told to fail, and the processes that fetch from it."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from aiohttp import web

__all__ = ["FakeHub", "Ran", "Shell", "finished", "serving", "shell", "start"]

_LARGE = (".safetensors", ".gguf", ".bin")


@dataclass
class FakeHub:
    """Repository `owner/tiny`; `branches` name the files of each, and what is changed takes effect at once."""

    branches: dict[str, dict[str, bytes]]
    port: int = 0
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, file and range of each request for a file."""
    lies: dict[str, bytes] = field(default_factory=dict)
    """What is sent instead of the true content."""
    sizes: dict[str, int] = field(default_factory=dict)
    refusal: tuple[int, Mapping[str, str]] | None = None
    cut_at: int | None = None
    """After so many bytes of a large file the connection ends, once."""
    hold_at: int | None = None
    """After so many bytes of a large file nothing more comes, and `held` is set."""
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, revision: str) -> str:
        files = self.branches[revision]
        return hashlib.sha1("".join(name + _sha256(files[name]) for name in sorted(files)).encode()).hexdigest()

    def of(self, revision: str) -> dict[str, bytes] | None:
        return next((self.branches[name] for name in self.branches if revision in (name, self.commit(name))), None)

    def fetched(self) -> list[str]:
        """The names of the files whose content was asked for."""
        return [name for method, name, _ in self.asked if method == "GET"]

    async def info(self, request: web.Request) -> web.Response:
        if self.refusal is not None:
            return web.Response(status=self.refusal[0], headers=self.refusal[1])
        if request.match_info["name"] != "tiny":
            return web.Response(status=404, headers={"X-Error-Code": "RepoNotFound"})
        revision = request.match_info.get("revision", "main")
        files = self.of(revision)
        if files is None:
            return web.Response(status=404, headers={"X-Error-Code": "RevisionNotFound"})
        siblings = [self._sibling(name, content) for name, content in files.items()]
        commit = next(self.commit(name) for name in self.branches if self.branches[name] is files)
        return web.json_response({"id": "owner/tiny", "sha": commit, "siblings": siblings})

    def _sibling(self, name: str, content: bytes) -> dict[str, object]:
        size = self.sizes.get(name, len(content))
        # The checksum that git has of a large file is that of a pointer to it.
        blob = b"pointer" if name.endswith(_LARGE) else content
        about: dict[str, object] = {"rfilename": name, "size": size, "blobId": _git_sha1(blob)}
        if name.endswith(_LARGE):
            about["lfs"] = {"sha256": _sha256(content), "size": size, "pointerSize": 130}
        return about

    async def file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        range_ = request.headers.get("Range")
        self.asked.append((request.method, name, range_))
        files = self.of(request.match_info["revision"])
        if files is None or name not in files:
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        content = files[name]
        etag = _sha256(content) if name.endswith(_LARGE) else _git_sha1(content)
        headers = {"X-Repo-Commit": self.commit(self._branch(files)), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        content = self.lies.get(name, content)
        if request.method == "HEAD":
            return web.Response(headers=headers | {"Content-Length": str(len(content))})
        begin = int(range_.removeprefix("bytes=").partition("-")[0]) if range_ else 0
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        response = web.StreamResponse(status=206 if begin else 200, headers=headers)
        response.content_length = len(content) - begin
        await response.prepare(request)
        await self._send(request, response, content, begin, large=name.endswith(_LARGE))
        return response

    def _branch(self, files: dict[str, bytes]) -> str:
        return next(name for name in self.branches if self.branches[name] is files)

    async def _send(
        self, request: web.Request, response: web.StreamResponse, content: bytes, begin: int, *, large: bool
    ) -> None:
        end = len(content)
        if large and self.cut_at is not None:
            end = self.cut_at
        elif large and self.hold_at is not None:
            end = self.hold_at
        for place in range(begin, end, 2**16):
            await response.write(content[place : min(place + 2**16, end)])
        if large and self.cut_at is not None:
            self.cut_at = None
            request.transport.close()
        elif large and self.hold_at is not None:
            self.held.set()
            await asyncio.Event().wait()


@lru_cache(maxsize=64)
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@asynccontextmanager
async def serving(hub: FakeHub) -> AsyncIterator[FakeHub]:
    """The hub, listening; at the same port as before if it did already."""
    app = web.Application()
    app.router.add_get("/api/models/{owner}/{name}", hub.info)
    app.router.add_get("/api/models/{owner}/{name}/revision/{revision}", hub.info)
    app.router.add_get("/{owner}/{name}/resolve/{revision}/{file:.+}", hub.file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", hub.port, reuse_address=True)
    await site.start()
    hub.port = runner.addresses[0][1]
    try:
        yield hub
    finally:
        await runner.cleanup()


@dataclass(frozen=True, kw_only=True)
class Ran:
    code: int
    out: str
    err: str


class Shell:
    """One process, whose hub is ours, that runs `sre` again and again: starting Python anew takes seconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, home: Path, *args: str) -> Ran:
        """Run `sre` with a cache in `home`; `resolve` and a model is what a start of it gives."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(home), *args]).encode() + b"\n")
        async with asyncio.timeout(120):
            answer = await self._process.stdout.readline()
        code, out, err = json.loads(answer)
        return Ran(code=code, out=out, err=err)


_SHELL = """
import contextlib, io, json, os, sys
from huggingface_hub import constants
from sre_cli.failures import report
from sre_cli.main import cli
from sre_core.errors import SREError
from sre_smollm import SmolLMSettings
from sre_smollm.weights.sources import resolve
def start(model, allowed):
    try:
        print(resolve(SmolLMSettings(model=model, allow_download=allowed == "allowed")))
    except SREError as error:
        return report(error)
for line in sys.stdin:
    home, *args = json.loads(line)
    constants.HF_HUB_CACHE = f"{home}/hf/hub"
    os.environ["XDG_CACHE_HOME"] = f"{home}/cache"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = start(*args[1:]) if args[0] == "resolve" else cli(args, prog_name="sre", standalone_mode=False)
    print(json.dumps([code or 0, out.getvalue(), err.getvalue()]), flush=True)
"""


@asynccontextmanager
async def shell(hub: FakeHub, home: Path) -> AsyncIterator[Shell]:
    """A process that fetches from `hub`."""
    process = await start(hub, home, code=_SHELL)
    try:
        yield Shell(process)
    finally:
        process.stdin.close()
        await process.communicate()


async def start(hub: FakeHub, home: Path, *args: str, code: str | None = None) -> asyncio.subprocess.Process:
    """`sre` with `args`, or Python with `code`, whose hub is ours and whose cache lies in `home`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "SRE_", "HUGGING"))}
    environ |= {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.port}",
        "HF_HOME": str(home / "hf"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "NO_COLOR": "1",
    }
    command = ["-c", code] if code is not None else ["-m", "sre_cli"]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *args,
        cwd=home,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finished(process: asyncio.subprocess.Process) -> Ran:
    """What a process said, once it has ended."""
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())
