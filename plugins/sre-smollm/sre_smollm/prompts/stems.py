"""The words of a text that carry meaning, without their endings."""

import re

__all__ = ["EMPTY_WORDS", "plain_name", "stem", "stems"]

# Words that say nothing about what is asked for.
EMPTY_WORDS = frozenset(
    "a about all an and any are as at be by can do does for from get given gets has have how i in into is it its me "  # noqa: SIM905
    "my not of on one or please return returns some than that the them then this to two use used using was what "
    "which who will with would you your according".split()
)
_ENDINGS = ("ing", "ions", "ion", "es", "ed", "s", "e")


def plain_name(name: str) -> str:
    """The name of a skill or an argument as words: `getTime_of.day` becomes `get Time of day`."""
    return re.sub(r"[_.\-]+|(?<=[a-z])(?=[A-Z])", " ", name).strip()


def stems(text: str) -> frozenset[str]:
    """The words of `text` that carry meaning, lower case and without their endings; good enough for English."""
    found = (word.lower() for word in re.findall(r"[^\W\d_]{2,}", text))
    return frozenset(stem(word) for word in found if word not in EMPTY_WORDS)


def stem(word: str) -> str:
    """`word` without its ending, when three letters or more stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
