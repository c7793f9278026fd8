"""From the start of a process to the first token of a reply; the weights were converted before."""

import subprocess
import sys
import time

from benchmarks.local_llm.setting import QUIET, Setting
from benchmarks.peers import ROOT
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import environment

__all__ = ["measure"]

_OURS = """
import asyncio, sys
from sre_core.connectors.llm import LLMRequest
from sre_core.messages import Message
from sre_smollm import SmolLM, SmolLMSettings

async def main():
    model = SmolLM(SmolLMSettings.model_validate_json(sys.argv[1]))
    await model.start()
    request = LLMRequest(messages=(Message.user("Why is the sky blue?"),), max_tokens=1)
    async for chunk in model.stream(request):
        print("first", flush=True)
        break
    await model.stop()

asyncio.run(main())
"""
_PLAIN = """
import sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
ids = tokenizer.apply_chat_template([{"role": "user", "content": "Why is the sky blue?"}], add_generation_prompt=True,
                                    return_tensors="pt", return_dict=True)
model.generate(**ids, max_new_tokens=1, do_sample=False)
print("first", flush=True)
"""
_LLAMACPP = """
import sys
from llama_cpp import Llama

model = Llama(sys.argv[1], n_ctx=2048, verbose=False)
model.create_chat_completion([{"role": "user", "content": "Why is the sky blue?"}], max_tokens=1)
print("first", flush=True)
"""


def measure(setting: Setting) -> list[Row]:
    """Wall time of fresh processes, in turns."""
    folder, place = str(setting.local.folder.path), setting.local.place
    commands = {
        "auto": [sys.executable, "-c", _OURS, setting.settings("auto", one_thread=False)],
        "torch": [sys.executable, "-c", _OURS, setting.settings("transformers", one_thread=False)],
        "f32": [sys.executable, "-c", _PLAIN, folder],
    }
    if setting.llamacpp is not None and place.is_file():
        commands["llama.cpp"] = [str(setting.llamacpp), "-c", _LLAMACPP, str(place)]
    # What is compiled once for this machine, and what the system reads from its disk once, is not counted.
    for command in commands.values():
        _first_token(command)
    samples: dict[str, list[float]] = {side: [] for side in commands}
    for _ in range(setting.rounds(7)):
        for side, command in commands.items():
            samples[side].append(_first_token(command))
    own = Row(name="", unit="", samples=samples).value("auto")
    bars = (
        Bar(against="1 s", ratio=own, bar=4, goal=1.5),
        *(Bar(against=side, ratio=ratio(samples, "auto", side)) for side in commands if side != "auto"),
    )
    return [Row(name="first token of a fresh process", unit="wall s", samples=samples, bars=bars)]


def _first_token(command: list[str]) -> float:
    """Seconds until it says so."""
    variables = environment() | QUIET
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "first":
                seconds = time.perf_counter() - began
                process.communicate()
                return seconds
    raise SystemExit(f"no first token from {command[0]!r}; its own words are above")
