"""JSON schemas and grammars as masks over the next token, so that whatever is written fits them."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sre_core import logs
from sre_core.errors import ConnectorError, UnsupportedError
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.writing.schema import bounded

if TYPE_CHECKING:
    import numpy as np
    from llguidance import LLMatcher, LLTokenizer
    from numpy.typing import NDArray

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
    """Where one reply stands in its grammar; `what` names it in errors. Never shared between replies.

    The mask is computed when it is needed: it takes less time than handing it to another thread would.
    """

    def __init__(self, matcher: "LLMatcher", *, vocabulary: int, what: str) -> None:
        import numpy as np

        self._matcher = matcher
        self._vocabulary = vocabulary
        self._words = np.zeros((vocabulary + 31) // 32, dtype=np.int32)
        self.what = what

    def mask(self, scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """`scores`, of shape (rows,), with minus infinity for every token that the grammar forbids here. In place.

        Raises ConnectorError when it forbids all of them.
        """
        import numpy as np

        self._matcher.unsafe_compute_mask_ptr(self._words.ctypes.data, self._words.nbytes)
        if self._matcher.is_error():
            # It would allow the end of the reply alone, in the middle of an unfinished text.
            raise self.dead_end()
        np.invert(self._words, out=self._words)
        forbidden = np.unpackbits(self._words.view(np.uint8), bitorder="little", count=self._vocabulary)
        size = min(len(scores), self._vocabulary)
        np.copyto(scores[:size], -np.inf, where=forbidden[:size].view(np.bool_))
        # A model may have more rows than its tokenizer has tokens: nothing stands for those.
        scores[self._vocabulary :] = -np.inf
        return scores

    def dead_end(self) -> ConnectorError:
        """What to raise when nothing that the grammar allows can be written."""
        return ConnectorError(
            f"the grammar of {self.what} came to a dead end", hint="use a simpler schema, or ask again"
        )

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
        """Whether the text is complete and nothing can follow. Raises ConnectorError at a dead end."""
        stopped = bool(self._matcher.is_stopped())
        if stopped and self._matcher.is_error():
            raise self.dead_end()
        return stopped


class Grammars:
    """The grammars of one model: its tokenizer is prepared once, each grammar compiled once. For any thread."""

    def __init__(self, tokenizer: Tokenizer, *, ends: frozenset[int] | None = None) -> None:
        self._tokenizer = tokenizer
        self._ends = sorted(tokenizer.ends if ends is None else ends)
        self._lock = threading.Lock()
        self._tokens: LLTokenizer | None = None
        self._compiled: dict[str, LLMatcher] = {}

    def prepare(self) -> None:
        """Do what the first grammar would wait for: about half a second.

        Raises UnsupportedError, as every use does, for a tokenizer that grammars cannot be made for.
        """
        with self._lock:
            self._tokens = self._tokens or self._load()

    def schema(self, schema: Mapping[str, Any], *, what: str) -> Constraint:
        """A constraint to JSON that fits `schema`; `what` names it in errors.

        Every string, number, list and object gets an upper bound. Raises UnsupportedError when the schema
        cannot be turned into a grammar.
        """
        return self._constraint(json.dumps(schema), what, lambda: _of_schema(schema))

    def lark(self, grammar: str, *, what: str) -> Constraint:
        """A constraint to texts of a grammar in llguidance's kind of Lark. Raises UnsupportedError for a wrong one."""
        return self._constraint(f"lark {grammar}", what, lambda: _of_lark(grammar))

    def _constraint(self, key: str, what: str, grammar: Callable[[], str]) -> Constraint:
        with self._lock:
            tokens = self._tokens = self._tokens or self._load()
            matcher = self._compiled.pop(key, None) or _compile(tokens, grammar(), what)
            self._compiled[key] = matcher
            if len(self._compiled) > _CACHED:
                del self._compiled[next(iter(self._compiled))]
            return Constraint(matcher.deep_copy(), vocabulary=tokens.vocab_size, what=what)

    def _load(self) -> "LLTokenizer":
        from llguidance import LLTokenizer

        try:
            return LLTokenizer(self._tokenizer.to_json(), eos_token=self._ends or None)
        except ValueError as error:
            raise UnsupportedError(
                f"the model's tokenizer cannot be guided by a grammar: {error}",
                hint="use a model with a byte-level or sentencepiece tokenizer for skills and output_schema",
            ) from error


def _of_schema(schema: Mapping[str, Any]) -> str:
    from llguidance import LLMatcher

    made: str = LLMatcher.grammar_from_json_schema(json.dumps(bounded(schema)), overrides=_STYLE)  # type: ignore[arg-type]
    return made


def _of_lark(grammar: str) -> str:
    from llguidance import LLMatcher

    made: str = LLMatcher.grammar_from_lark(grammar)
    return made


def _compile(tokens: "LLTokenizer", grammar: str, what: str) -> "LLMatcher":
    from llguidance import LLMatcher

    matcher = LLMatcher(tokens, grammar, log_level=0)
    if matcher.is_error():
        reason = matcher.get_error().strip().splitlines()[0]
        raise UnsupportedError(
            f"the JSON schema of {what} cannot be used to guide the model: {reason}",
            hint="use plain types, enum, anyOf, properties and items",
        )
    for warning in matcher.get_grammar_warnings():
        log.info("schema_keyword_ignored", schema=what, warning=warning)
    return matcher
