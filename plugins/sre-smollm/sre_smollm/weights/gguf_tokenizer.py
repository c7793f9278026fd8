"""From the metadata of a GGUF file to a byte-level BPE tokenizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sre_smollm.weights.gguf_header import Header

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer

__all__ = ["known", "write_tokenizer"]

# Kinds of tokens in the file.
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """How text is cut before merging: patterns, one after the other, or the byte-level rule of GPT-2."""

    patterns: tuple[str, ...] = ()
    digits: bool = False
    gpt2: bool = False
    whole_words: bool = False
    """A word that is a token itself is taken as it is, whatever the merges say."""
    begin: bool = False
    """Texts begin with the first token unless the file says otherwise."""


_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_WORDS = _Split(gpt2=True)
_WORDS_AND_DIGITS = _Split(gpt2=True, digits=True)
_LLAMA = _Split(patterns=(_LLAMA3,), whole_words=True, begin=True)
# By the names that llama.cpp writes; "smaug-bpe" is what it calls SmolLM3's.
_SPLITS: Mapping[str, _Split] = MappingProxyType(
    {
        "gpt-2": _WORDS,
        "smollm": _WORDS_AND_DIGITS,
        "starcoder": _WORDS_AND_DIGITS,
        "llama-bpe": _LLAMA,
        "llama3": _LLAMA,
        "llama-v3": _LLAMA,
        "smaug-bpe": _Split(patterns=(_LLAMA3,)),
        "default": _Split(patterns=(r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    }
)


def known(header: Header) -> bool:
    """Whether this tokenizer can be written."""
    return header.text("tokenizer.ggml.model") == "gpt2" and _name(header) in _SPLITS


def write_tokenizer(header: Header, folder: Path, *, context_tokens: int, vocabulary: int) -> None:
    """Write tokenizer.json, its settings and the chat template.

    Raises ConfigError when a key is missing, or the tables do not fit each other or the network.
    """
    from transformers import PreTrainedTokenizerFast

    tokenizers: Any = PreTrainedTokenizerFast  # untyped functions
    tokens = header.items("tokenizer.ggml.tokens", str)
    if len(tokens) > vocabulary:
        raise header.wrong("tokenizer.ggml.tokens", f"a list of at most {vocabulary} tokens", f"{len(tokens)} tokens")
    marks = {}
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
        if f"tokenizer.ggml.{key}_token_id" in header.metadata:
            marks[f"{name}_token"] = _token(header, f"tokenizer.ggml.{key}_token_id", tokens)
    tokenizer = tokenizers(
        tokenizer_object=_tokenizer(header, tokens, marks.get("bos_token")),
        model_max_length=context_tokens,
        clean_up_tokenization_spaces=False,
        **marks,
    )
    tokenizer.chat_template = header.text("tokenizer.chat_template", "") or None
    tokenizer.save_pretrained(str(folder))


def _name(header: Header) -> str:
    return header.text("tokenizer.ggml.pre", "default")


def _token(header: Header, key: str, tokens: list[str]) -> str:
    number = header.whole(key)
    if number >= len(tokens):
        raise header.wrong(key, f"a number below {len(tokens)}", number)
    return tokens[number]


def _tokenizer(header: Header, tokens: list[str], begin: str | None) -> "Tokenizer":
    from tokenizers import AddedToken, Tokenizer, decoders, models, processors

    split = _SPLITS[_name(header)]
    kinds = header.items("tokenizer.ggml.token_type", int)
    if len(kinds) != len(tokens):
        raise header.wrong("tokenizer.ggml.token_type", f"a list of {len(tokens)} kinds", f"{len(kinds)} kinds")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    bpe = models.BPE(vocab=vocabulary, merges=_merges(header, vocabulary), ignore_merges=split.whole_words)
    made = Tokenizer(bpe)
    made.pre_tokenizer = _cut(split)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.ByteLevel(trim_offsets=False)
    pairs = list(zip(tokens, kinds, strict=True))
    made.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token, kind in pairs if kind in {_UNKNOWN, _CONTROL}]
    )
    made.add_tokens(
        [AddedToken(token, special=False, normalized=False) for token, kind in pairs if kind == _USER_DEFINED]
    )
    if begin is not None and header.metadata.get("tokenizer.ggml.add_bos_token", split.begin):
        made.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1", special_tokens=[(begin, vocabulary[begin])]
        )
    return made


def _merges(header: Header, vocabulary: Mapping[str, int]) -> list[tuple[str, str]]:
    found = []
    for text in header.items("tokenizer.ggml.merges", str):
        left, _, right = text.partition(" ")
        if left not in vocabulary or right not in vocabulary or left + right not in vocabulary:
            raise header.wrong("tokenizer.ggml.merges", "made of tokens", text)
        found.append((left, right))
    return found


def _cut(split: _Split) -> "PreTokenizer":
    from tokenizers import Regex, pre_tokenizers

    steps: list[Any] = [pre_tokenizers.Digits(individual_digits=True)] if split.digits else []
    steps.extend(pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in split.patterns)
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split.gpt2))
    return pre_tokenizers.Sequence(steps)
