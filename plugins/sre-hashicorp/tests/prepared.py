"""A server of the fault kit that is well for what must be asked before the call that is looked at."""

from collections.abc import Mapping

from aiohttp import web

from sre_core.testing.conformance import http_faults
from sre_core.testing.replay import HttpReply, ReplayServer


def prepare(monkeypatch, ready: Mapping[str, HttpReply]) -> None:
    """Have the servers of the kit answer the paths in `ready` well, whatever is wrong with them otherwise."""

    class Prepared(ReplayServer):
        async def _answer(self, request: web.Request) -> web.StreamResponse:
            reply = ready.get(request.path)
            return await (super()._answer(request) if reply is None else self._send(request, reply))

    monkeypatch.setattr(http_faults, "ReplayServer", Prepared)
