"""Texts of a known number of tokens: real ones from the documentation, and a long system prompt."""

from pathlib import Path

from tokenizers import Tokenizer

from benchmarks.peers import ROOT

__all__ = ["Texts"]

QUESTION = "A reader asks for a tour of the whole library. Describe every shelf in long sentences, one after the other."


class Texts:
    """Makes texts with the tokenizer of a model folder."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def ids(self, count: int) -> list[int]:
        """The first tokens of the documentation."""
        ids: list[int] = []
        for page in sorted((ROOT / "docs").rglob("*.md")):
            ids += self._tokenizer.encode(page.read_text(encoding="utf-8"), add_special_tokens=False).ids
            if len(ids) >= count:
                return ids[:count]
        raise ValueError(f"the documentation has only {len(ids)} tokens, not {count}")

    def handbook(self, number: int, tokens: int) -> str:
        """A system prompt; one with another number has nothing in common with it from its second word on."""
        rules = (
            f"Rule {rule}: before a reader goes to shelf {rule * 7 % 31}, tell the clerk of room {rule * 3 % 17}."
            for rule in range(1, tokens)
        )
        return self.cut(
            f"Handbook {number} of a librarian who always answers at great length. {' '.join(rules)}", tokens
        )

    def observation(self, step: int, tokens: int) -> str:
        """What a skill might have answered."""
        shelves = (f"shelf {shelf} holds {shelf * 13 % 40} red books;" for shelf in range(step, step + tokens))
        text = self.cut(f"Observation {step}: {' '.join(shelves)}", tokens)
        return f"{text} Now describe all of these shelves in long sentences."

    def question(self, number: int, tokens: int) -> str:
        """One of several questions that differ from the first word on."""
        notes = (f"I have read {number * note % 97} books of room {note}." for note in range(1, tokens))
        return self.cut(f"Reader {number} asks: {' '.join(notes)}", tokens)

    def cut(self, text: str, tokens: int) -> str:
        """The first `tokens` tokens of a text. Raises ValueError when it is shorter."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) < tokens:
            raise ValueError(f"a text has {len(ids)} tokens, not {tokens}")
        return str(self._tokenizer.decode(ids[:tokens]))
