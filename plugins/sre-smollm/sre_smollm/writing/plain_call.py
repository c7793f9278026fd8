"""The call of a skill that was chosen beforehand, its arguments written after a plain prompt instead of a chat."""

import json
from collections.abc import Sequence

from sre_core.connectors.llm import LLMChunk
from sre_core.errors import UnsupportedError
from sre_core.messages import FinishReason, SkillSpec, Usage
from sre_smollm.engine.engine import Emit
from sre_smollm.engine.reading import Steps
from sre_smollm.writing.generation import Sampler, Writer
from sre_smollm.writing.grammar import Constraint
from sre_smollm.writing.toolcalls import call_chunk
from sre_smollm.writing.tools import Tools

__all__ = ["fits", "plain_call"]


def plain_call(
    tools: Tools, emit: Emit[LLMChunk], skill: SkillSpec, prompt: str, sampler: Sampler, *, max_tokens: int
) -> Steps[None]:
    """Let the model write the arguments of `skill` after `prompt`; a call, or nothing and LENGTH.

    Raises UnsupportedError when the parameters cannot be turned into a grammar, before anything is read, and
    ConnectorError when the prompt does not fit the model.
    """
    constraint = _constraint(tools, skill)
    ids = tools.template.tokens(prompt)
    writer = Writer(ids, sampler, ends=tools.ends, limit=min(max_tokens, tools.room(len(ids))))
    written = b""
    while tokens := (yield from writer.write(constraint)):
        written += b"".join(tools.template.bytes_of(token) for token in tokens)
    if writer.ended:
        arguments = json.dumps(json.loads(written), ensure_ascii=False)
        emit(call_chunk((skill.name, arguments), 0))
    emit(LLMChunk(usage=_usage(ids, writer), finish_reason=_reason(writer)))


def _constraint(tools: Tools, skill: SkillSpec) -> Constraint:
    parameters = {"type": "object", "properties": {}, **skill.parameters}
    return tools.grammars.schema(parameters, what=f"skill {skill.name!r}")


def _reason(writer: Writer) -> FinishReason:
    return FinishReason.SKILL_CALLS if writer.ended else FinishReason.LENGTH


def _usage(prompt: Sequence[int], writer: Writer) -> Usage:
    cached = min(writer.sequence.cached, len(prompt))
    return Usage(input_tokens=len(prompt), output_tokens=writer.written, cached_tokens=cached)


def fits(tools: Tools, skill: SkillSpec) -> bool:
    """Whether the parameters of `skill` can be turned into a grammar."""
    try:
        _constraint(tools, skill)
    except UnsupportedError:
        return False
    return True
