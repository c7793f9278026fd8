"""A prompt begins as the one before it, so that what was read once need not be read again."""

import pytest

from sre_core.messages import Message, SkillCall, SkillSpec
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import resolve

from .chat_templates import LLAMA3, QWEN  # noqa: TID252 -- the folder of tests is no package

SKILL = SkillSpec(name="add", description="Add.", parameters={"type": "object", "properties": {"a": {}}})
REPLIES = ("Hello there, how are you?", "It's 12,5 °C — “cold”! 🙂\n\n```py\nx = [1]\n```", "Line\n  two.  ")


@pytest.fixture(params=["tiny", "real", "qwen", "llama3"])
def template(request, tiny_folder):
    if request.param == "real":
        return Template(Tokenizer.load(resolve(SmolLMSettings())))
    own = {"qwen": QWEN, "llama3": LLAMA3}.get(request.param)
    return Template(Tokenizer.load(tiny_folder), chat_template=own)


def _written(template, prompt, text):
    """The tokens of a prompt and of the reply that follows it."""
    return [*prompt.ids, *template.tokens(text)]


def test_a_longer_conversation_begins_with_the_tokens_of_the_shorter_one(template):
    talk = [Message.system("Be kind."), Message.user("Hi")]
    # Qwen's template puts an empty block of thinking into the turn to come, and leaves it out later.
    thinking = template.thinking.flags is False
    for reply in REPLIES:
        seen = _written(template, template.prompt(talk, thinking=thinking), reply.strip())
        talk += [Message.assistant(reply.strip()), Message.user(f"And then? {len(talk)}")]
        longer = list(template.prompt(talk, thinking=thinking).ids)
        assert longer[: len(seen)] == seen


def test_so_does_one_with_calls_and_results(tiny_folder):
    for own in (None, QWEN):
        template = Template(Tokenizer.load(tiny_folder), chat_template=own)
        talk = [Message.system("Be kind."), Message.user("Add!")]
        for number in range(3):
            calls = tuple(
                SkillCall(id=f"{number}{name}", name="add", arguments=f'{{"a": "{name} é"}}') for name in "xyz"[:number]
            )
            said = "Let me see.\n" if number % 2 else ""
            written = said + "\n".join(template.call_form.write(call) for call in calls)
            seen = _written(template, template.prompt(talk, skills=(SKILL,), thinking=own is not None), written)
            talk += [Message.assistant(said, skill_calls=calls), *(Message.result(call, "3 €") for call in calls)]
            talk += [] if calls else [Message.user("Go on.")]
            longer = list(template.prompt(talk, skills=(SKILL,), thinking=own is not None).ids)
            assert longer[: len(seen)] == seen


def test_a_reply_that_was_thought_over_keeps_the_prompt_before_it(tiny_folder):
    template = Template(Tokenizer.load(tiny_folder))
    talk = [Message.user("Hi")]
    seen = list(template.prompt(talk, thinking=True).ids)
    talk += [Message.assistant("<think>\nHm.\n</think>\nHello"), Message.user("Bye")]
    assert list(template.prompt(talk, thinking=True).ids)[: len(seen)] == seen
