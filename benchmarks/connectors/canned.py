"""A server on loopback that gives what providers give, always the same, so that only the client costs.

Started as `python -m benchmarks.connectors.canned PORT`. It speaks as much as these benchmarks need of Anthropic's
Messages API, of the Gemini API, of Bedrock's Converse API, and of an index in Pinecone. A reply of a model comes in
three pieces, sent at once.
"""

import asyncio
import json
import struct
import sys
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from aiohttp import web

__all__ = ["DIMENSION", "FOUND", "PIECES", "main"]

PIECES = ("Hello ", "from the ", "server.")
DIMENSION = 128
FOUND = {"id": "7", "score": 0.9, "values": [], "metadata": {"s_source": "notes", "n_page": 7, "int": ["page"]}}
"""What all queries find; its metadata is as our connector keeps them."""

_INPUT, _OUTPUT = 12, 5


def _events(*events: Mapping[str, Any], named: bool) -> bytes:
    """Server-sent events."""
    names = [b"event: %b\n" % event["type"].encode() if named else b"" for event in events]
    lines = [b"data: %b\n\n" % json.dumps(event).encode() for event in events]
    return b"".join(name + line for name, line in zip(names, lines, strict=True))


def _claude() -> bytes:
    usage = {"input_tokens": _INPUT, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
    texts = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in PIECES
    ]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return _events(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *texts,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": _OUTPUT}},
        {"type": "message_stop"},
        named=True,
    )


def _gemini() -> bytes:
    events: list[dict[str, Any]] = [
        {
            "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": piece}]}}],
            "modelVersion": "gemini",
            "responseId": "r1",
        }
        for piece in PIECES
    ]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    events[-1]["usageMetadata"] = {
        "promptTokenCount": _INPUT,
        "candidatesTokenCount": _OUTPUT,
        "totalTokenCount": _INPUT + _OUTPUT,
    }
    return _events(*events, named=False)


def _bedrock() -> bytes:
    """Events in the binary form of AWS."""
    return b"".join(
        [
            _message("messageStart", {"role": "assistant"}),
            *(_message("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}) for piece in PIECES),
            _message("contentBlockStop", {"contentBlockIndex": 0}),
            _message("messageStop", {"stopReason": "end_turn"}),
            _message(
                "metadata",
                {
                    "usage": {"inputTokens": _INPUT, "outputTokens": _OUTPUT, "totalTokens": _INPUT + _OUTPUT},
                    "metrics": {"latencyMs": 1},
                },
            ),
        ]
    )


def _message(kind: str, data: Mapping[str, Any]) -> bytes:
    texts = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    names = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(text)) + text.encode()
        for name, text in texts.items()
    )
    body = json.dumps(data).encode()
    prelude = struct.pack(">II", 16 + len(names) + len(body), len(names))
    message = prelude + struct.pack(">I", crc32(prelude)) + names + body
    return message + struct.pack(">I", crc32(message))


def _add(application: web.Application, method: str, path: str, body: bytes, kind: str, **headers: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type=kind, headers=headers)

    application.router.add_route(method, path, answer)


def _add_json(application: web.Application, method: str, path: str, data: Any, **headers: str) -> None:
    _add(application, method, path, json.dumps(data).encode(), "application/json", **headers)


async def _serve(port: int) -> None:
    application = web.Application(client_max_size=64 << 20)
    _add(application, "POST", "/v1/messages", _claude(), "text/event-stream")
    _add(application, "POST", "/v1beta/models/{model}:streamGenerateContent", _gemini(), "text/event-stream")
    _add(application, "POST", "/model/{model}/converse-stream", _bedrock(), "application/vnd.amazon.eventstream")
    shows = {"x-pinecone-max-indexed-lsn": "1"}
    namespace = {"name": "any", "record_count": "1"}
    statistics = {"dimension": DIMENSION, "metric": "cosine", "namespaces": {}, "totalVectorCount": 1}
    found = {"matches": [FOUND], "namespace": "any", "usage": {"readUnits": 1}}
    _add_json(application, "POST", "/describe_index_stats", statistics)
    _add_json(application, "GET", "/namespaces/{namespace}", namespace)
    _add_json(application, "POST", "/vectors/upsert", {"upsertedCount": 1}, **{"x-pinecone-request-lsn": "1"})
    _add_json(application, "POST", "/query", found, **shows)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=600)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
