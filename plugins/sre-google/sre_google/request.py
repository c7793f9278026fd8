"""A request as the body that both of Google's APIs take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sre_core.connectors.llm import LLMRequest
from sre_core.connectors.request_options import read_options
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, SkillSpec
from sre_google.contents import FUNCTION_NAME, PartsCache, contents_of, system_of
from sre_google.options import RequestOptions, SafetySetting
from sre_google.schemas import google_schema
from sre_google.settings import Backend
from sre_google.thinking import generation, thinking_config

__all__ = ["Target", "check_files", "request_body", "safety_settings"]

Body = dict[str, Any]

_MOST_STOPS = 5
# What says nothing about the arguments of a skill.
_SILENT = frozenset({"$schema", "description", "title", "type"})
_PDF_BYTES = 50_000_000
_MODES: Mapping[Literal["auto", "required", "none"], str] = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a request goes to."""

    backend: Backend
    model: str
    version: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        """Read the model's version from its name."""
        object.__setattr__(self, "version", generation(self.model))

    @property
    def origin(self) -> str:
        """Who signs what this model thinks."""
        return f"{self.backend}/{self.model}"

    @property
    def since_3(self) -> bool:
        """Whether the model is of Gemini 3 or later: it has levels of thinking, and signs its calls."""
        return self.version is not None and self.version >= (3, 0)


def request_body(request: LLMRequest, target: Target, cache: PartsCache, *, level: str | None = None) -> Body:
    """The body of `streamGenerateContent`. `level` is the level of thinking if the request does not say.

    Raises ConfigError for what Google does not take: an unknown option, more than five stop sequences, the name of a
    skill that begins with a digit; UnsupportedError for files of other types, and for a schema together with skills
    before Gemini 3.
    """
    options = read_options(RequestOptions, request.options, connector="google")
    body: Body = {"contents": contents_of(request.messages, cache, target.origin, signs=target.since_3)}
    system = system_of(request.messages)
    if system is not None:
        body["systemInstruction"] = system
    if request.skills:
        body["tools"] = [{"functionDeclarations": [_declaration(skill) for skill in request.skills]}]
        if request.skill_choice != "auto":
            body["toolConfig"] = {"functionCallingConfig": {"mode": _MODES[request.skill_choice]}}
        if request.output_schema is not None and target.version is not None and not target.since_3:
            raise UnsupportedError(
                f"{target.model!r} takes no output schema together with skills",
                hint="use a model of Gemini 3 or later, or leave one of them out",
            )
    body["generationConfig"] = _generation_config(request, target, options, level)
    _add_rest(body, options)
    return body


def check_files(groups: Iterable[Sequence[File]], limit: int) -> int:
    """The bytes of all files. Raises ConfigError when they are more than may be sent, in base64, with a request."""
    files = [file for group in groups for file in group]
    for file in files:
        if file.media_type == "application/pdf" and len(file.data) > _PDF_BYTES:
            raise ConfigError(
                f"the file {file.name!r} has {len(file.data)} bytes, and Google takes PDFs up to {_PDF_BYTES}",
                hint="split it, or send its text",
            )
    raw = sum(len(file.data) for file in files)
    encoded = sum(-(-len(file.data) // 3) * 4 for file in files)
    if encoded > limit:
        raise ConfigError(
            f"the {len(files)} files of the request have {encoded} bytes as they are sent, and the limit is {limit}",
            hint="send fewer or smaller files; the setting file_bytes is the limit, and Google has one of its own",
        )
    return raw


def _declaration(skill: SkillSpec) -> Body:
    if not FUNCTION_NAME.fullmatch(skill.name):
        raise ConfigError(
            f"Google takes no skill named {skill.name!r}", hint="let its name begin with a letter or an underscore"
        )
    declaration: Body = {"name": skill.name, "description": skill.description}
    # An object without properties says that there are no parameters, which is said by saying nothing.
    if any(value for key, value in skill.parameters.items() if key not in _SILENT):
        declaration["parametersJsonSchema"] = google_schema(skill.parameters)
    return declaration


def _generation_config(request: LLMRequest, target: Target, options: RequestOptions, level: str | None) -> Body:
    stops = [stop for stop in request.stop if stop]
    if len(stops) > _MOST_STOPS:
        raise ConfigError(
            f"the request has {len(stops)} stop sequences, and Google takes {_MOST_STOPS}", hint="leave some out"
        )
    if options.thinking_level is not None:
        level = options.thinking_level
    elif not target.since_3 or options.thinking_budget is not None:
        level = None  # a setting is for the models that it fits
    thinking = thinking_config(target.model, request.thinking, level, options.thinking_budget)
    config = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": options.top_k,
        "seed": request.seed,
        "stopSequences": stops or None,
        "presencePenalty": options.presence_penalty,
        "frequencyPenalty": options.frequency_penalty,
        "mediaResolution": options.media_resolution,
        "thinkingConfig": thinking or None,
    }
    if request.output_schema is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = google_schema(request.output_schema)
    return {name: value for name, value in config.items() if value is not None}


def _add_rest(body: Body, options: RequestOptions) -> None:
    if options.safety_settings:
        body["safetySettings"] = safety_settings(options.safety_settings)
    if options.cached_content is not None:
        body["cachedContent"] = options.cached_content
    if options.service_tier is not None:
        body["serviceTier"] = options.service_tier
    if options.labels:
        body["labels"] = dict(options.labels)


def safety_settings(settings: Sequence[SafetySetting]) -> list[Body]:
    """`safetySettings`, as requests for text and for images have them."""
    return [{"category": one.category, "threshold": one.threshold} for one in settings]
