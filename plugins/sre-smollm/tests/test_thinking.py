"""Who decides whether a model thinks, where its thinking begins, and that none of it is read again."""

import pytest

from sre_core.messages import Message
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.thinking import Tags, without_thinking
from sre_smollm.prompts.tokenizer import Tokenizer

from .chat_templates import ALL, QWEN, SMOLLM3, THINKS_ALWAYS  # noqa: TID252 -- the folder of tests is no package

HI = Message.user("Hi")
TAGS = Tags(open="<think>", close="</think>")


@pytest.fixture(scope="module")
def tokenizer(tiny_folder):
    return Tokenizer.load(tiny_folder)


@pytest.fixture(scope="module")
def smollm3(tokenizer):
    return Template(tokenizer)


def test_the_mode_is_switched_in_the_prompt(smollm3, tokenizer):
    on, off = (smollm3.prompt((HI,), thinking=thinking) for thinking in (True, False))
    assert smollm3.thinks
    assert smollm3.tags == TAGS
    assert "Reasoning Mode: /think\n" in tokenizer.show(on.ids)
    assert tokenizer.show(on.ids).endswith("<|im_start|>assistant\n")
    assert "Reasoning Mode: /no_think\n" in tokenizer.show(off.ids)
    assert tokenizer.show(off.ids).endswith("<|im_start|>assistant\n<think>\n\n</think>\n")
    assert (on.thinking, off.thinking) == (True, False)
    assert not on.inside_thinking
    assert not off.inside_thinking


@pytest.mark.parametrize("setting", [True, False, None])
@pytest.mark.parametrize(
    ("system", "user", "wanted"),
    [
        ("Be kind.", "Hi", None),
        ("Be kind. /no_think", "Hi", False),
        ("/think", "Hi", True),
        ("/no_think", "Hi /think", True),
        ("/think", "/no_think\nHi", False),
        ("", "Hi /no_think /think", True),
        ("Look at /think/about and a/no_think.", "the path /no_thinking", None),
    ],
)
def test_what_the_user_writes_wins_over_the_setting(smollm3, tokenizer, setting, system, user, wanted):
    talk = (Message.system(system), HI, Message.assistant("Hello"), Message.user(user))
    expected = wanted if wanted is not None else True if setting is None else setting
    thinking = smollm3.thinking.wanted(talk, setting)
    assert thinking is expected
    text = tokenizer.show(smollm3.prompt(talk, thinking=thinking).ids)
    # The template reads flags too, out of the middle of words; it must come to the same end.
    assert f"Reasoning Mode: {'/think' if expected else '/no_think'}\n" in text
    assert text.endswith("assistant\n" if expected else "</think>\n")
    assert "/think" not in text.replace("Mode: /think", "").replace("</think>", "")


def test_flags_in_the_configured_instructions_count(tokenizer):
    template = Template(tokenizer, system_prompt="Be kind. /no_think")
    assert template.wants_thinking((HI,), True) is False
    assert template.wants_thinking((Message.system("Be brief."), HI), True) is True
    text = tokenizer.show(template.prompt((HI,)).ids)
    assert "Be kind." in text
    assert " /no_think" not in text.replace("Mode: /no_think", "")


def test_a_flag_that_only_an_earlier_message_had_is_over(smollm3):
    talk = (Message.user("Hi /no_think"), Message.assistant("Hello"), HI)
    assert smollm3.thinking.wanted(talk, True)


def test_a_model_that_reads_flags_in_the_users_text_keeps_them(tokenizer):
    qwen = Template(tokenizer, chat_template=QWEN)
    talk = (Message.user("Hi /no_think"),)
    assert qwen.thinking.wanted(talk, True) is False
    assert "Hi /no_think" in tokenizer.show(qwen.prompt(talk).ids)


def test_a_prompt_that_ends_inside_thinking_says_so(tokenizer):
    always = Template(tokenizer, chat_template=THINKS_ALWAYS)
    assert always.thinking.wanted((HI,), False)
    prompt = always.prompt((HI,), thinking=False)
    assert prompt.inside_thinking
    assert prompt.thinking


def test_a_model_without_thinking_has_none(tokenizer):
    plain = Template(tokenizer, chat_template="chatml")
    assert not plain.thinks
    assert not plain.thinking.wanted((HI,), True)
    assert "a /think b" in tokenizer.show(plain.prompt((Message.user("a /think b"),), thinking=True).ids)
    assert not plain.prompt((Message.user("<think>"),), thinking=True).inside_thinking


@pytest.mark.parametrize("name", ["smollm3", "qwen", "thinks-always"])
def test_thinking_is_never_fed_back(tokenizer, name):
    template = Template(tokenizer, chat_template=ALL[name])
    talk = (HI, Message.assistant("<think>\nSecret plans.\n</think>\n\nHello!"), Message.user("Bye"))
    text = tokenizer.show(template.prompt(talk, thinking=True).ids)
    assert "Secret" not in text
    assert "Hello!" in text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Hello", "Hello"),
        ("<think>a</think>Hello", "Hello"),
        ("<think>a</think>\n\nHello<think>b</think>", "Hello"),
        ("a\n</think>\nHello", "Hello"),
        ("<think>\ncut", ""),
        ("The tag <think> opens thinking.", "The tag <think> opens thinking."),
    ],
)
def test_thinking_is_cut_out_of_a_text(text, left):
    assert without_thinking(text, TAGS) == left


def test_the_tags_of_thinking_and_calls_are_text_even_where_they_are_special(tiny_folder):
    from tokenizers import Tokenizer as Core

    core = Core.from_file(str(tiny_folder / "tokenizer.json"))
    core.add_special_tokens(["[THINK]", "[/THINK]"])
    own = SMOLLM3.replace("<think>", "[THINK]").replace("</think>", "[/THINK]")
    template = Template(Tokenizer(core), chat_template=own)
    assert template.tags == Tags(open="[THINK]", close="[/THINK]")
    ids = template.tokens("[THINK]a[/THINK]<|im_end|><tool_call>")
    assert b"".join(map(template.bytes_of, ids)) == b"[THINK]a[/THINK]<tool_call>"
    assert b"".join(map(template.tokenizer.bytes_of, ids)) == b"a<tool_call>"
