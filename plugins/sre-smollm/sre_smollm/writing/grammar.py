"""JSON schemas as masks over the next token, so that whatever is written fits the schema."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sre_core import logs
from sre_core.errors import UnsupportedError
from sre_smollm.writing.schema import bounded

if TYPE_CHECKING:
    import torch
    from llguidance import LLMatcher

    from sre_smollm.networks.model import Model

__all__ = ["Constraint", "Grammars"]

log = logs.get_logger(__name__)

# Compact JSON as `json.dumps` writes it: free whitespace is one more thing a small model can repeat for ever.
_STYLE: dict[str, Any] = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "lenient": True,
}
_CACHED = 64


class Constraint:
    """Where one reply stands in its grammar. Never shared between replies."""

    def __init__(self, matcher: "LLMatcher", vocabulary: int, rows: int) -> None:
        import numpy as np

        self._matcher = matcher
        self._vocabulary = vocabulary
        self._words = np.zeros((vocabulary + 31) // 32, dtype=np.int32)
        self._rows = rows

    def mask(self, logits: "torch.Tensor") -> "torch.Tensor":
        """`logits` with minus infinity for every token that the grammar forbids here."""
        import numpy as np
        import torch

        self._matcher.unsafe_compute_mask_ptr(self._words.ctypes.data, self._words.nbytes)
        bits = np.unpackbits(self._words.view(np.uint8), bitorder="little")[: self._vocabulary]
        # A model may have more rows than its tokenizer has tokens: nothing stands for those.
        allowed = np.zeros(self._rows, dtype=bool)
        allowed[: self._vocabulary] = bits.astype(bool)
        return logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), float("-inf"))

    def accept(self, token: int) -> bool:
        """Take `token`; False when the grammar forbids it."""
        return bool(self._matcher.consume_token(token))

    def forced(self) -> list[int]:
        """The tokens that must come next, taken already; empty when there is a choice."""
        tokens = list(self._matcher.compute_ff_tokens())
        if tokens:
            self._matcher.consume_tokens(tokens)
        return tokens

    @property
    def finished(self) -> bool:
        """Whether the text is complete and nothing can follow."""
        return bool(self._matcher.is_stopped())


class Grammars:
    """The grammars of one model: its tokenizer is prepared once, each schema compiled once."""

    def __init__(self, model: "Model") -> None:
        from llguidance import LLTokenizer

        backend = model.tokenizer.backend_tokenizer
        self._tokens = LLTokenizer(backend.to_str(), eos_token=sorted(model.ends) or None)
        self._rows = int(model.network.config.vocab_size)
        # Tags such as <think> are text to us, though llguidance takes every added token for a mark.
        added = model.tokenizer.added_tokens_decoder.items()
        self._added = {token: b"" if entry.special else entry.content.encode() for token, entry in added}
        self._compiled: dict[str, LLMatcher] = {}

    def bytes_of(self, token: int) -> bytes:
        """What `token` adds to the text; nothing for the model's own marks."""
        if token in self._added:
            return self._added[token]
        if token >= self._tokens.vocab_size:
            return b""
        return bytes(self._tokens.decode_bytes([token]))

    def schema(self, schema: Mapping[str, Any], *, what: str) -> Constraint:
        """A constraint to JSON that fits `schema`; `what` names it in errors.

        Every string, number, list and object gets an upper bound. Raises UnsupportedError when the schema
        cannot be turned into a grammar.
        """
        key = json.dumps(schema, sort_keys=True)
        matcher = self._compiled.pop(key, None) or self._compile(schema, what)
        self._compiled[key] = matcher
        if len(self._compiled) > _CACHED:
            del self._compiled[next(iter(self._compiled))]
        return Constraint(matcher.deep_copy(), self._tokens.vocab_size, self._rows)

    def _compile(self, schema: Mapping[str, Any], what: str) -> "LLMatcher":
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_json_schema(json.dumps(bounded(schema)), overrides=_STYLE)  # type: ignore[arg-type]
        matcher = LLMatcher(self._tokens, grammar, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error().strip().splitlines()[0]
            raise UnsupportedError(
                f"the JSON schema of {what} cannot be used to guide the model: {reason}",
                hint="use plain types, enum, anyOf, properties and items",
            )
        for warning in matcher.get_grammar_warnings():
            log.warning("schema_keyword_ignored", schema=what, warning=warning)
        return matcher
