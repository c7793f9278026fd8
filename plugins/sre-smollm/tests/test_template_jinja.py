"""Templates are rendered as transformers renders them, and can neither run code nor run on."""

import pytest

from sre_core.errors import ConfigError
from sre_smollm.prompts.jinja import CHATML, ChatTemplate
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import resolve

from .chat_templates import ALL  # noqa: TID252 -- the folder of tests is no package

SKILL = {
    "name": "add",
    "description": "Add <b>numbers</b> & more, übrigens.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
TOOLS = [{"type": "function", "function": SKILL}]
CALL = {"type": "function", "id": "call00000", "function": {"name": "add", "arguments": {"a": "<1> 'é' \"2\""}}}


def _said(role, text, **more):
    return {"role": role, "content": text, **more}


TALKS = {
    "one": [_said("user", "Hi <there>\n  you ")],
    "system": [_said("system", "Be brief. /no_think"), _said("user", "Hi")],
    "override": [_said("system", "Only this. /system_override"), _said("user", "Hi")],
    "two": [_said("user", "Hi"), _said("assistant", "\nHello!"), _said("user", "Bye")],
    "calls": [_said("user", "Add"), _said("assistant", "", tool_calls=[CALL]), _said("tool", "3", name="add")],
    "many": [_said("user", "a"), _said("user", "b"), _said("tool", "c"), _said("tool", "d"), _said("assistant", "e")],
    "parts": [_said("user", [{"type": "image"}, {"type": "text", "text": "What is it?"}])],
}


@pytest.fixture(scope="module")
def theirs(tiny_folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(tiny_folder), bos_token="<|endoftext|>")


def _outcome(render):
    from jinja2 import TemplateError

    try:
        return render()
    except (ConfigError, TemplateError, TypeError, AttributeError):
        return "failed"


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("name", [*ALL, "smollm2", "chatml"])
def test_every_kind_of_template_is_rendered_as_transformers_does(name, talk, theirs):
    if name == "smollm2":
        text = Tokenizer.load(resolve(SmolLMSettings())).templates["default"]
    else:
        text = {**ALL, "chatml": CHATML}[name]
    own = ChatTemplate(text, named=theirs.special_tokens_map)
    shown = []
    for values in ({}, {"tools": TOOLS}, {"xml_tools": [SKILL], "enable_thinking": False}, {"python_tools": ["def"]}):
        for begin in (True, False):
            expected = _outcome(
                lambda values=values, begin=begin: theirs.apply_chat_template(
                    TALKS[talk], chat_template=text, tokenize=False, add_generation_prompt=begin, **values
                )
            )
            got = _outcome(lambda values=values, begin=begin: own.render(TALKS[talk], begin_reply=begin, **values))
            assert got == expected
            shown.append(got)
    fits = {"images": {"parts"}, "mistral": {"one", "two"}}.get(name, set(TALKS) - {"parts", "calls"})
    if talk in fits:
        assert "failed" not in shown


def test_the_comparison_above_is_not_one_of_failures():
    for name, text in ALL.items():
        assert ChatTemplate(text, named={"bos_token": "<s>"}).render(TALKS["parts" if name == "images" else "one"])


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception.__globals__['logs'] }}",
        "{{ messages.__class__.__init__.__globals__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__globals__['__builtins__'] }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ self._TemplateReference__context }}",
        "{{ '{0.__class__}'.format(messages) }}",
        "{{ messages.append(1) }}",
        "{% set ns = namespace(_x=1) %}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ range.__func__.__globals__ }}",
    ],
)
def test_a_template_that_reaches_for_the_interpreter_is_stopped(text):
    # The sandbox shows nothing where it does not raise.
    assert _outcome(lambda: ChatTemplate(text).render([_said("user", "Hi")])) in {"failed", ""}


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 9 ** 9999999 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ 1 / 0 }}",
        "{{ messages | tojson(indent=messages) }}",
        "{{ nothing.at.all }}",
        "{{ messages[0].content + 1 }}",
    ],
)
def test_a_template_that_runs_on_or_fails_is_an_error_of_its_own(text):
    with pytest.raises(ConfigError, match="chat template"):
        ChatTemplate(text).render([_said("user", "Hi")])


def test_a_breach_is_told_as_one():
    with pytest.raises(ConfigError, match="what it may not"):
        ChatTemplate("{{ messages.append(1) }}").render([_said("user", "Hi")])


def test_what_a_template_says_when_it_refuses_is_in_the_error():
    with pytest.raises(ConfigError, match="refuses this conversation: No, thanks"):
        ChatTemplate("{{ raise_exception('No, thanks') }}").render([])
    with pytest.raises(ConfigError, match="not valid, line 2"):
        ChatTemplate("{% if a %}\n{% endfor %}")


def test_the_time_of_day_does_not_change_a_prompt():
    assert ChatTemplate("{{ strftime_now('%H:%M:%S') }}").render([]) == "00:00:00"
