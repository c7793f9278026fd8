"""Twenty prompts and five skills of the benchmark's own. Nothing was ever tuned on them; keep it that way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_core.messages import SkillSpec

__all__ = ["PROMPTS", "SKILLS", "Prompt"]


def _skill(name: str, description: str, required: Mapping[str, Any], **optional: Any) -> SkillSpec:
    parameters = {"type": "object", "properties": {**required, **optional}, "required": list(required)}
    return SkillSpec(name=name, description=description, parameters=parameters)


SKILLS = (
    _skill(
        "book_table",
        "Book a table at a restaurant.",
        {"restaurant": {"type": "string"}, "people": {"type": "integer", "minimum": 1, "maximum": 20}},
        time={"type": "string", "description": "When, such as 19:30"},
    ),
    _skill(
        "translate_text",
        "Translate a text into another language.",
        {
            "text": {"type": "string"},
            "language": {"type": "string", "enum": ["French", "German", "Spanish", "Italian"]},
        },
    ),
    _skill(
        "convert_currency",
        "Convert an amount of money from one currency into another.",
        {
            "amount": {"type": "number"},
            "source": {"type": "string", "description": "Code of the currency, such as USD"},
            "target": {"type": "string", "description": "Code of the currency, such as EUR"},
        },
    ),
    _skill(
        "set_alarm",
        "Set an alarm clock.",
        {"time": {"type": "string", "description": "Hours and minutes, such as 06:45"}},
    ),
    _skill("play_song", "Play a song.", {"title": {"type": "string"}}, artist={"type": "string"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A wish, the skill that serves it (empty for none), and for each argument the values that are right.

    An empty text among the values means that the argument may be left out.
    """

    text: str
    skill: str = ""
    arguments: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


PROMPTS = (
    Prompt(
        text="Book a table for four at Chez Marie.",
        skill="book_table",
        arguments={"restaurant": ("Chez Marie",), "people": (4,), "time": ("",)},
    ),
    Prompt(
        text="Please reserve a table at the Golden Dragon for 2 people at 19:30.",
        skill="book_table",
        arguments={"restaurant": ("Golden Dragon", "The Golden Dragon"), "people": (2,), "time": ("19:30",)},
    ),
    Prompt(
        text="I need a table for 6 at Luigi's tonight.",
        skill="book_table",
        arguments={"restaurant": ("Luigi's",), "people": (6,), "time": ("", "tonight")},
    ),
    Prompt(
        text="Translate 'good night' into French.",
        skill="translate_text",
        arguments={"text": ("good night",), "language": ("French",)},
    ),
    Prompt(
        text='How do you say "where is the station" in Italian?',
        skill="translate_text",
        arguments={"text": ("where is the station", "where is the station?"), "language": ("Italian",)},
    ),
    Prompt(
        text="Put the sentence 'the soup is cold' into German, please.",
        skill="translate_text",
        arguments={"text": ("the soup is cold",), "language": ("German",)},
    ),
    Prompt(
        text="Convert 250 USD to EUR.",
        skill="convert_currency",
        arguments={"amount": (250,), "source": ("USD",), "target": ("EUR",)},
    ),
    Prompt(
        text="How much is 40 GBP in JPY?",
        skill="convert_currency",
        arguments={"amount": (40,), "source": ("GBP",), "target": ("JPY",)},
    ),
    Prompt(
        text="I have 99.5 CHF and want to know what that is in CAD.",
        skill="convert_currency",
        arguments={"amount": (99.5,), "source": ("CHF",), "target": ("CAD",)},
    ),
    Prompt(text="Wake me up at 06:15.", skill="set_alarm", arguments={"time": ("06:15", "6:15")}),
    Prompt(text="Set an alarm for 22:40, please.", skill="set_alarm", arguments={"time": ("22:40",)}),
    Prompt(text="I want my alarm clock to ring at 5:30.", skill="set_alarm", arguments={"time": ("5:30", "05:30")}),
    Prompt(
        text="Play Yesterday by the Beatles.",
        skill="play_song",
        arguments={"title": ("Yesterday",), "artist": ("Beatles", "The Beatles", "")},
    ),
    Prompt(
        text="I'd like to hear the song Hallelujah.",
        skill="play_song",
        arguments={"title": ("Hallelujah",), "artist": ("",)},
    ),
    Prompt(
        text="Can you put on Dancing Queen by ABBA?",
        skill="play_song",
        arguments={"title": ("Dancing Queen",), "artist": ("ABBA", "")},
    ),
    Prompt(text="Why is the sky blue?"),
    Prompt(text="Who wrote Romeo and Juliet?"),
    Prompt(text="Hello! How are you today?"),
    Prompt(text="Write a short poem about autumn leaves."),
    Prompt(text="What is the difference between a frog and a toad?"),
)
