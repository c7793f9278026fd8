"""The values that a request holds: its numbers, and the pieces of it that may be names, places or texts."""

import math
import re

__all__ = ["numbers", "pieces", "runs"]

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>-?)[$€£]?(?P<minus>-?)(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:\s?(?P<scale>[Tt]housand|[Mm]illion|[Bb]illion)\b|(?P<kilo>k)\b)?(?P<percent>\s?%|\s?percent\b)?"
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()  # noqa: SIM905
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "twice": 2}
# A piece does not begin or end with one of these, unless it is a name (The Trial).
_EDGES = frozenset(
    "a an and any as at but by can could do does for from get give has have how in into is it its me of on or "  # noqa: SIM905
    "please some that the then there these this to was were what when where which who whose why will with would "
    "called named titled saying".split()
)
_LONGEST = 6
# What may stand between two numbers of one row.
_BETWEEN = 16
_OUTSIDE = ".,;:!?()[]{}<>\"'`\u201c\u201d\u2018\u2019"
_POSSESSIVE = ("'s", "\u2019s")
_QUOTES = re.compile(
    r"\"([^\"]{1,400})\"|\u201c([^\u201d]{1,400})\u201d|\u2018([^\u2019]{1,400})\u2019|(?<!\w)'([^']{1,400})'(?!\w)"
)


def numbers(words: str, *, shares: bool = True) -> list[int | float]:
    """The numbers in `words` in their order, each once; 5% counts as 5 and, with `shares`, as 0.05 too."""
    found: list[tuple[int, int | float]] = []
    for match in _NUMBER.finditer(words):
        scale = 1000 if match["kilo"] else _SCALES.get((match["scale"] or "").lower(), 1)
        value = float(match["digits"].replace(",", "")) * scale
        if math.isinf(value):
            continue
        value = -value if match["sign"] or match["minus"] else value
        found.append((match.start(), _short(value)))
        if shares and match["percent"]:
            found.append((match.start(), _short(round(value / 100, 9))))
    written = re.finditer(r"[a-z]+", words.lower())
    found += [(match.start(), _WORDS[match[0]]) for match in written if match[0] in _WORDS]
    return list(dict.fromkeys(value for _, value in sorted(found, key=lambda one: one[0])))


def runs(words: str) -> list[list[int | float]]:
    """The rows of two numbers or more in `words`, such as 3, 5 and 8."""
    found: list[list[int | float]] = []
    last = None
    for match in _NUMBER.finditer(words):
        between = words[last : match.start()] if last is not None else ""
        near = last is not None and len(between) <= _BETWEEN
        joined = near and re.fullmatch(r"\s*(,|and|,\s*and)?\s*", between) is not None
        value = next(iter(numbers(match[0])), None)
        if value is None:
            last = None
            continue
        if joined:
            found[-1].append(value)
        else:
            found.append([value])
        last = match.end()
    return [run for run in found if len(run) > 1]


def _short(value: float) -> int | float:
    return int(value) if value == int(value) else value


def pieces(words: str) -> list[str]:
    """The parts of `words` that a value may be copied from: quoted texts, short runs of words, ends of sentences.

    A whole request of more than a few words is none of them.
    """
    found = [text for match in _QUOTES.finditer(words) for text in match.groups() if text]
    for sentence in re.split(r"(?<=[.!?;:])\s+|\n+", words):
        parts = sentence.split()
        for start in range(len(parts)):
            if not _edge(parts[start]) and not _inside(parts, start):
                found += _from(parts, start)
    whole = words.strip().strip(_OUTSIDE)
    short = len(whole.split()) <= _LONGEST
    return list(dict.fromkeys(piece for piece in found if piece and (short or piece != whole)))


def _from(parts: list[str], start: int) -> list[str]:
    found = []
    for end in range(start + 1, len(parts) + 1):
        if end - start > _LONGEST and end < len(parts):
            continue
        if end < len(parts) and (_edge(parts[end - 1]) or _inside(parts, end)):
            continue
        piece = " ".join(parts[start:end]).strip(_OUTSIDE)
        found.append(piece)
        if piece.endswith(_POSSESSIVE):
            found.append(piece[:-2])
    return found


def _edge(word: str) -> bool:
    return word.strip(_OUTSIDE) in _EDGES


def _inside(parts: list[str], place: int) -> bool:
    """Whether the words before and after `place` belong to one name, such as New York; the first word does not."""
    return place > 1 and parts[place - 1].isalpha() and parts[place - 1][0].isupper() and parts[place][0].isupper()
