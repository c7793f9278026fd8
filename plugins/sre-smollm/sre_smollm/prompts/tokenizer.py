"""A model's tokenizer as it lies in its folder: text to tokens, tokens to bytes, marks and chat templates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sre_core.errors import ConfigError
from sre_smollm.prompts.template_files import chat_templates, read_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Core

__all__ = ["Mark", "Tokenizer", "whole_letters"]

_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
# Files that transformers can make a tokenizer.json from.
_OLDER = ("tokenizer.model", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
# Letters from which on a text takes more than a few milliseconds.
_LONG = 4096
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A token that was added to the vocabulary as a whole; a special one is no text, such as the end of a turn."""

    id: int
    text: str
    special: bool


class Tokenizer:
    """The tokenizer of one model. Safe to use from several threads at once.

    `named` maps `bos_token`, `eos_token` and so on to their text, `templates` the names of chat templates to
    their text ("default" for the one that has no name). `ends` are the ids that end a reply.
    """

    def __init__(
        self,
        core: "Core",
        *,
        named: Mapping[str, str] | None = None,
        templates: Mapping[str, str] | None = None,
        ends: Iterable[int] = (),
    ) -> None:
        core.no_truncation()
        core.no_padding()
        self._core = core
        self.named: Mapping[str, str] = dict(named or {})
        self.templates: Mapping[str, str] = dict(templates or {})
        added = core.get_added_tokens_decoder().items()
        self.marks: Mapping[int, Mark] = {
            number: Mark(id=number, text=token.content, special=token.special) for number, token in sorted(added)
        }
        self.specials = tuple(mark.text for mark in self.marks.values() if mark.special)
        self.size = max([core.get_vocab_size(with_added_tokens=True), *(number + 1 for number in self.marks)])
        """Ids are below this. A network may have more rows, which stand for nothing."""
        self.bos = self.id_of(self.named.get("bos_token"))
        self.eos = self.id_of(self.named.get("eos_token"))
        self.ends = frozenset(ends) | ({self.eos} if self.eos is not None else set())
        self._folds = core.normalizer is not None and any(
            token.special and token.normalized for token in core.get_added_tokens_decoder().values()
        )
        self._bytes: Sequence[bytes] | None = None
        first = [core.id_to_token(token) or "" for token in core.encode("a", add_special_tokens=False).ids[:1]]
        self._blank = first != [] and first[0].startswith("\u2581")

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read tokenizer.json and what belongs to it. Raises ConfigError for what is missing or damaged.

        transformers is only imported when the folder has an older kind of tokenizer, which it can convert.
        """
        settings = read_json(folder / "tokenizer_config.json")
        core = _core(folder)
        _add_missing(core, settings.get("added_tokens_decoder"))
        named = _named({**read_json(folder / "special_tokens_map.json"), **settings})
        ends: set[int] = set()
        for name in ("generation_config.json", "config.json"):
            found = read_json(folder / name).get("eos_token_id")
            ends.update(one for one in (found if isinstance(found, list) else [found]) if isinstance(one, int))
        return cls(core, named=named, templates=chat_templates(folder, settings), ends=ends)

    def encode(self, text: str) -> list[int]:
        """The tokens of `text`, none added around it. The text of a mark becomes that mark: see `apart`."""
        text = whole_letters(text)
        if len(text) > _LONG:
            # Alone, a text is cut while all other threads stand still.
            (found,) = self._core.encode_batch_fast([text], add_special_tokens=False)
        else:
            found = self._core.encode(text, add_special_tokens=False)
        ids: list[int] = found.ids
        return ids

    def encode_inside(self, text: str) -> list[int]:
        """The tokens of `text` in the middle of other text: without the blank that some put before every text."""
        if not self._blank:
            return self.encode(text)
        head, ids = self.encode("\n"), self.encode(f"\n{text}")
        return ids[len(head) :] if ids[: len(head)] == head else self.encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of tokens; special marks have none."""
        return b"".join(self.bytes_of(token) for token in ids).decode(errors="replace")

    def show(self, ids: Sequence[int]) -> str:
        """The text of tokens with every mark in it, for logs and tests."""
        shown = (mark.text.encode() if (mark := self.marks.get(token)) else self.bytes_of(token) for token in ids)
        return b"".join(shown).decode(errors="replace")

    def bytes_of(self, token: int) -> bytes:
        """What `token` adds to the text: nothing for a special mark and for an id that stands for nothing.

        A piece of a character has its own bytes, so the bytes of a reply join to its text.
        """
        if self._bytes is None:
            self._bytes = _all_bytes(self._core, self.marks, self.size)
        return self._bytes[token] if 0 <= token < self.size else b""

    def id_of(self, token: str | None) -> int | None:
        """The id of a token by its text in the vocabulary, None if there is none."""
        found: int | None = None if token is None else self._core.token_to_id(token)
        return found

    def apart(self, text: str) -> str:
        """`text` with the special marks in it taken apart, so that no text can pretend to be another turn."""
        if self._folds:
            # Such marks are looked for in the normalised text, where other letters may have become theirs.
            text = self._core.normalizer.normalize_str(text)
        for mark in self.specials:
            if len(mark) > 1 and mark in text:
                text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
        return text

    def to_json(self) -> str:
        """The tokenizer as the text of a tokenizer.json, for drivers that bring their own."""
        text: str = self._core.to_str()
        return text


def whole_letters(text: str) -> str:
    """`text` with a sign for each half of a letter, which is text in Python and nowhere else."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _core(folder: Path) -> "Core":
    from tokenizers import Tokenizer as Core

    path = folder / "tokenizer.json"
    if not path.is_file():
        if any((folder / name).is_file() for name in _OLDER):
            return _converted(folder)
        raise ConfigError(
            f"the model folder {str(folder)!r} has no tokenizer.json", hint="fetch the whole model, with its tokenizer"
        )
    try:
        return Core.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the tokenizer {str(path)!r} cannot be read: {error}",
            hint="the file is damaged: delete the folder if it lies in the cache, or fetch it again",
        ) from error


def _converted(folder: Path) -> "Core":
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        core: Core = tokenizer.backend_tokenizer
    except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"the tokenizer in {str(folder)!r} cannot be converted: {error}",
            hint="add the tokenizer.json of the model to the folder",
        ) from error
    return core


def _add_missing(core: "Core", listed: Any) -> None:
    """Tokens that only the settings know; they count as the next ones, in order."""
    from tokenizers import AddedToken

    if not isinstance(listed, dict):
        return
    for number in sorted((key for key in listed if str(key).isdigit()), key=int):
        entry = listed[number]
        text = entry.get("content") if isinstance(entry, dict) else None
        if not isinstance(text, str) or core.token_to_id(text) is not None:
            continue
        if int(number) != core.get_vocab_size(with_added_tokens=True):
            raise ConfigError(
                f"the token {text!r} has the id {number} in tokenizer_config.json, where tokenizer.json leaves no room",
                hint="the two files belong to different models: fetch both again",
            )
        flags = {key: bool(entry.get(key, False)) for key in ("single_word", "lstrip", "rstrip", "normalized")}
        token = AddedToken(text, special=bool(entry.get("special", False)), **flags)
        (core.add_special_tokens if token.special else core.add_tokens)([token])


def _named(settings: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for role in _ROLES:
        value = settings.get(role)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            found[role] = text
    return found


def _all_bytes(core: "Core", marks: Mapping[int, Mark], size: int) -> list[bytes]:
    decoder = (core.decoder.__getstate__() if core.decoder is not None else b"").decode()
    letters = _letters() if '"ByteLevel"' in decoder else {}
    fallback = '"ByteFallback"' in decoder or bool(getattr(core.model, "byte_fallback", False))
    found = [b""] * size
    for text, number in core.get_vocab(with_added_tokens=False).items():
        if letters:
            found[number] = b"".join(letters.get(letter, letter.encode()) for letter in text)
        elif fallback and (byte := _BYTE.fullmatch(text)):
            found[number] = bytes.fromhex(byte[1])
        else:
            # The sign for a blank in vocabularies of the sentencepiece kind.
            found[number] = text.replace("\u2581", " ").encode()
    for number, mark in marks.items():
        found[number] = b"" if mark.special else mark.text.encode()
    return found


def _letters() -> dict[str, bytes]:
    """The byte that each letter of a byte-level vocabulary stands for (the table of GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    shown = {chr(byte): bytes([byte]) for byte in printable}
    return shown | {chr(256 + place): bytes([byte]) for place, byte in enumerate(others)}
