"""How fast a prompt is read and a reply is written, against plain transformers and the limits of the machine."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.local_llm.setting import Setting, column
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import Workers
from sre_smollm.networks.compiled.packing import pack

__all__ = ["measure"]

_WRITTEN = 48


def measure(setting: Setting) -> list[Row]:
    """Tokens per second of CPU time, on one thread."""
    prompt, near, far = setting.size(512, 64), 64, setting.size(1200, 128)
    ids, count = setting.texts.ids(far), setting.size(_WRITTEN, 8)
    weights = _weights(setting)
    found: list[dict[str, dict[str, Any]]] = []
    with Workers() as workers, Workers() as machine:
        setting.networks(workers)
        setting.plain(workers)
        setting.peers(workers, ["llama.cpp"])
        setting.limits(machine)
        workers.wait()
        machine.wait()
        workers.ask("speed", ids=ids[:near], prompt=near, places=[near], count=2)
        for turn in range(setting.rounds(7)):
            answers = workers.ask("speed", first=turn, ids=ids, prompt=prompt, places=[near, far], count=count)
            read = machine.ask_one("limit", "bandwidth", nbytes=weights, count=setting.size(10, 2))["cpu"]
            times = machine.ask_one("limit", "products", tokens=prompt, **_products(setting))["cpu"]
            # The limit writes its tokens as fast as it can read the weights of the fastest side.
            limit = {str(place): {"cpu": read * count} for place in (near, far)}
            found.append({**answers, "limit": {"prompt": {"cpu": times}, **limit}})
    reading = column(found, lambda answer: prompt / answer["prompt"]["cpu"])
    writing = {place: column(found, lambda answer, p=str(place): count / answer[p]["cpu"]) for place in (near, far)}
    return [
        Row(name=f"read {prompt} tokens", unit="tokens/s", samples=reading, bars=_bars(reading, "float32 products")),
        Row(
            name=f"write after {near}",
            unit="tokens/s",
            samples=writing[near],
            bars=_bars(writing[near], "memory bandwidth", f32=(4, 7.5)),
        ),
        Row(
            name=f"write after {far}",
            unit="tokens/s",
            samples=writing[far],
            bars=_bars(writing[far], "memory bandwidth", bf16=(3.5, 6)),
        ),
    ]


def _bars(samples: dict[str, list[float]], limit: str, **wanted: tuple[float, float]) -> tuple[Bar, ...]:
    bars = []
    for side in ("f32", "bf16", "torch", "llama.cpp", "limit"):
        bar, goal = wanted.get(side, (None, None))
        against = limit if side == "limit" else side
        if side in samples:
            bars.append(Bar(against=against, ratio=ratio(samples, "auto", side), bar=bar, goal=goal, at_least=True))
    return tuple(bars)


def _weights(setting: Setting) -> int:
    """Bytes that each written token has to read."""
    model = setting.local
    if model.selection.engine != "compiled":
        return model.folder.weight_bytes
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "packed"
        pack(model.folder.path, file, "auto")
        return file.stat().st_size


def _products(setting: Setting) -> dict[str, Any]:
    """Rows and columns of the matrices of a layer; the head, which gives one row of scores, is too small to count."""
    folder = setting.local.folder
    hidden, inner = folder.hidden, int(folder.text["intermediate_size"])
    heads, keys = folder.heads * folder.head_size, folder.key_heads * folder.head_size
    shapes = [(heads, hidden), (keys, hidden), (keys, hidden), (hidden, heads), *[(inner, hidden)] * 2, (hidden, inner)]
    return {"shapes": shapes, "layers": folder.layers}
