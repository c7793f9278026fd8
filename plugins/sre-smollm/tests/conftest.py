"""Fixtures: the real small model, started once, and a tiny random SmolLM3 made on the spot."""

import threading
from pathlib import Path

import pytest

from sre_smollm import SmolLM, SmolLMSettings
from sre_smollm.engine.engine import Loaded, Worker
from sre_smollm.networks.model import Model, load
from sre_smollm.prompts.template import Template
from sre_smollm.writing.grammar import Grammars

TEMPLATE = """\
{%- set mode = "/think" if (enable_thinking is not defined or enable_thinking) else "/no_think" -%}
{%- set system = messages[0].content if messages[0].role == "system" else "" -%}
<|im_start|>system
{{ system }}
Reasoning: {{ mode }}
{%- if xml_tools %}
<tools>
{%- for tool in xml_tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
{%- endif %}<|im_end|>
{% for message in messages -%}
{%- set content = message.content if message.content is string else "" -%}
{%- if message.role == "user" or message.role == "tool" -%}
<|im_start|>user
{{ content }}<|im_end|>
{% elif message.role == "assistant" -%}
<|im_start|>assistant
{{ content }}<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% if mode == "/no_think" %}<think>

</think>
{% endif %}
{%- endif -%}
"""


def _tokenizer():
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tags = ("<think>", "</think>", "<tool_call>", "</tool_call>")
    raw.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in tags])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def save_tiny_smollm3(folder: Path) -> None:
    import torch
    from transformers import SmolLM3Config, SmolLM3ForCausalLM

    tokenizer = _tokenizer()
    torch.manual_seed(0)
    config = SmolLM3Config(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    model = SmolLM3ForCausalLM(config)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


class Script:
    """Makes a network say `text` after a prompt of so many tokens, then end its turn.

    A hook on the real network: cache, masks, template and parsing stay the true ones.
    """

    def __init__(self, model, prompt: int, text: str) -> None:
        self._said = [*model.tokenizer.encode(text, add_special_tokens=False), model.tokenizer.eos_token_id]
        self._prompt = prompt
        self._handle = model.network.register_forward_hook(self._force, with_kwargs=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._handle.remove()

    def _force(self, _network, _args, kwargs, output):
        place = kwargs["past_key_values"].get_seq_length() - self._prompt
        token = self._said[min(max(place, 0), len(self._said) - 1)]
        output.logits[0, -1, :] = -10.0
        output.logits[0, -1, token] = 10.0
        return output


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
async def smollm(anyio_backend):
    connector = SmolLM(SmolLMSettings(max_tokens=64))
    await connector.start()
    yield connector
    await connector.stop()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-smollm3")
    save_tiny_smollm3(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder: Path) -> Model:
    return load(tiny_folder, SmolLMSettings(dtype="float32"))


@pytest.fixture
def tiny_worker(tiny_model: Model) -> Worker:
    loaded = Loaded(model=tiny_model, grammars=Grammars(tiny_model), template=Template(tiny_model))
    return Worker(loaded, SmolLMSettings(), threading.Event())


@pytest.fixture
def script() -> type[Script]:
    return Script
