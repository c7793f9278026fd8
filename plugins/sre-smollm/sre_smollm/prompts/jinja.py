"""Chat templates as transformers renders them, in a sandbox and without transformers."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from sre_core.errors import ConfigError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["CHATML", "ChatTemplate"]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""The plainest template in use, for models that bring none and were taught with it."""

# What one rendering may do: steps of `range`, characters of a repeated text, characters in all.
_STEPS = 100_000
_REPEATED = 1_000_000
_LONGEST = 50_000_000
_HIGHEST_POWER = 64


class ChatTemplate:
    """One chat template, compiled; `named` are the texts of `bos_token` and so on, which it may show.

    Raises ConfigError when the template is no valid one. Safe to use from several threads at once.
    """

    def __init__(self, text: str, *, named: Mapping[str, str] | None = None) -> None:
        from jinja2 import TemplateError, meta, nodes

        self.text = text
        self._named = dict(named or {})
        self._environment = _environment()
        try:
            tree = self._environment.parse(text)
            self._compiled = self._environment.from_string(text)
        except (TemplateError, RecursionError) as error:
            raise _broken(error) from error
        self.variables = frozenset(meta.find_undeclared_variables(tree))
        """The names that it takes from outside, such as `tools` and `enable_thinking`."""
        shown = [node.data for node in tree.find_all(nodes.TemplateData)]
        constants = [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
        self.words = "\0".join([*shown, *constants])
        """All text that it writes itself, in pieces."""

    def render(self, messages: Sequence[Mapping[str, Any]], *, begin_reply: bool = True, **values: Any) -> str:
        """The text of a conversation; with `begin_reply` it ends where the assistant's turn begins.

        `messages` and `values` are of JSON types alone. Raises ConfigError with what the template said, when it
        refuses the conversation, tries something that the sandbox forbids, or fails.
        """
        from jinja2 import TemplateError

        budget = _Budget()
        given = {**self._named, "tools": None, "documents": None, **values}
        try:
            pieces = self._compiled.generate(
                messages=list(messages), add_generation_prompt=begin_reply, range=budget.range, **given
            )
            return "".join(budget.count(piece) for piece in pieces)
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            MemoryError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise _broken(error) from error

    def attempt(self, messages: Sequence[Mapping[str, Any]], *, begin_reply: bool = True, **values: Any) -> str | None:
        """As `render`, but None where that raises: to find out what a template knows."""
        try:
            return self.render(messages, begin_reply=begin_reply, **values)
        except ConfigError:
            return None


class _Budget:
    """How much one rendering has done so far. Jinja's own limit is for one `range`, and loops can be nested."""

    def __init__(self) -> None:
        self._steps = 0
        self._size = 0

    def range(self, *limits: int) -> range:
        """`range`, as long as there is something left."""
        found = range(*limits)
        self._steps += len(found)
        if self._steps > _STEPS:
            raise OverflowError(f"it counts further than {_STEPS}")
        return found

    def count(self, piece: str) -> str:
        self._size += len(piece)
        if self._size > _LONGEST:
            raise OverflowError(f"it writes more than {_LONGEST} characters")
        return piece


def _broken(error: Exception) -> ConfigError:
    from jinja2 import TemplateError, TemplateSyntaxError
    from jinja2.exceptions import SecurityError

    said = str(error) or type(error).__name__
    if isinstance(error, SecurityError):
        return ConfigError(
            f"the chat template tries what it may not: {said}", hint="do not use this model, or pass chat_template"
        )
    if isinstance(error, TemplateSyntaxError):
        return ConfigError(
            f"the chat template is not valid, line {error.lineno}: {said}", hint="fetch it again, or pass chat_template"
        )
    if type(error) is TemplateError:
        return ConfigError(
            f"the chat template refuses this conversation: {said}", hint="change the messages, or pass chat_template"
        )
    return ConfigError(f"the chat template fails: {said}", hint="change the messages, or pass chat_template")


def _environment() -> "ImmutableSandboxedEnvironment":
    """Jinja with the settings and the names that chat templates are written for."""
    from jinja2.runtime import Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
            _check_size(operator, left, right)
            return super().call_binop(context, operator, left, right)

    made = Environment(trim_blocks=True, lstrip_blocks=True, extensions=[_generation_tag(), "jinja2.ext.loopcontrols"])
    made.filters["tojson"] = _tojson
    made.globals["raise_exception"] = _raise
    made.globals["strftime_now"] = _today
    made.globals["dict"] = _dict
    made.globals["namespace"] = _namespace()
    return made


def _generation_tag() -> type[Any]:
    from jinja2 import nodes
    from jinja2.ext import Extension
    from jinja2.parser import Parser

    class Generation(Extension):
        """`{% generation %}` marks what a model learns to write; here its body is all that matters."""

        tags = frozenset({"generation"})  # type: ignore[assignment]  # jinja only reads it

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def _namespace() -> type[Any]:
    from jinja2.exceptions import SecurityError
    from jinja2.utils import Namespace

    class Open(Namespace):
        """Jinja's namespace without names that reach into the interpreter."""

        def __init__(*args: Any, **kwargs: Any) -> None:
            for name in dict(*args[1:], **kwargs):
                _check_name(name)
            Namespace.__init__(*args, **kwargs)

        def __setitem__(self, name: str, value: Any) -> None:
            _check_name(name)
            Namespace.__setitem__(self, name, value)

    def _check_name(name: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"a namespace has no place for {name!r}")

    return Open


def _check_size(operator: str, left: Any, right: Any) -> None:
    if operator == "**":
        if isinstance(right, int) and abs(right) > _HIGHEST_POWER:
            raise OverflowError(f"it takes the power {right}")
        return
    for whole, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(whole, (str, list, tuple)) and len(whole) * times > _REPEATED:
            raise OverflowError(f"it repeats a text {times} times")


def _tojson(
    value: Any,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 -- templates pass these in this order
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002
) -> str:
    """Jinja's own filter escapes HTML, which no model was taught."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: object) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(str(message))


def _today(form: str) -> str:
    """Today by a form of `strftime`. The time of day is left out, or no prompt would begin as the one before."""
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).strftime(form)


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    # A function, since the class itself has attributes.
    return dict(*args, **kwargs)
