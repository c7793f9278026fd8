"""Model: which model answers, and how it is asked to."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

if TYPE_CHECKING:
    from sre_core.connectors.llm import LLMRequest

__all__ = ["LocalProvider", "Model", "ModelSettings", "Provider", "model_name"]


class ModelSettings(TypedDict, total=False):
    """The settings of a Model, for the constructors that are called like its provider."""

    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    seed: int | None
    stop: tuple[str, ...]
    thinking: bool | None
    options: Mapping[str, Any]


class Provider:
    """Makes models of one provider: `Model.groq("llama-3.3-70b", temperature=0)` is `Model("groq/llama-3.3-70b", ...)`.

    Which server that is, and with which key, is no matter of the model, but of `sre.toml` and the catalogue.
    """

    __slots__ = ("provider",)

    def __init__(self, provider: str) -> None:
        self.provider = provider

    def __call__(self, name: str, /, **settings: Unpack[ModelSettings]) -> "Model":
        """The model that the provider's API calls `name`."""
        return Model(f"{self.provider}/{name}", **settings)

    def __repr__(self) -> str:
        """Shows how it is called."""
        return f"<Model.{self.provider}>"


class LocalProvider(Provider):
    """A Provider whose connector has a model of its own, for when none is named: `Model.smollm()`."""

    __slots__ = ()

    def __call__(self, name: str | None = None, /, **settings: Unpack[ModelSettings]) -> "Model":
        """The model of that name; the connector's default one without."""
        return Model(f"{self.provider}/{name}" if name else self.provider, **settings)


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its settings; what is None is left to the connector.

    `name` is read as in `Agent(model=...)`: "echo" is a connector, "smollm/smollm3" a model of one, "groq/..." a
    model of a provider in the catalogue, anything else a model of the default connector, and None the configured
    default. `options` go to the connector as they are: it refuses those that it does not know.
    """

    openai: ClassVar[Provider] = Provider("openai")
    anthropic: ClassVar[Provider] = Provider("anthropic")
    google: ClassVar[Provider] = Provider("google")
    bedrock: ClassVar[Provider] = Provider("bedrock")
    azure: ClassVar[Provider] = Provider("azure")
    groq: ClassVar[Provider] = Provider("groq")
    perplexity: ClassVar[Provider] = Provider("perplexity")
    xai: ClassVar[Provider] = Provider("xai")
    together: ClassVar[Provider] = Provider("together")
    deepseek: ClassVar[Provider] = Provider("deepseek")
    mistral: ClassVar[Provider] = Provider("mistral")
    openrouter: ClassVar[Provider] = Provider("openrouter")
    huggingface: ClassVar[Provider] = Provider("huggingface")
    ollama: ClassVar[Provider] = Provider("ollama")
    lmstudio: ClassVar[Provider] = Provider("lmstudio")
    vllm: ClassVar[Provider] = Provider("vllm")
    sglang: ClassVar[Provider] = Provider("sglang")
    llamacpp: ClassVar[Provider] = Provider("llamacpp")
    smollm: ClassVar[LocalProvider] = LocalProvider("smollm")
    echo: ClassVar[LocalProvider] = LocalProvider("echo")

    name: str | None = None
    _: KW_ONLY
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def request(self, name: str | None) -> "LLMRequest":
        """The request, still without messages, that carries these settings to the model called `name`."""
        # The contracts bring pydantic and the logger, which an agent that is only constructed does not need.
        from sre_core.connectors.llm import LLMRequest

        return LLMRequest(
            messages=(),
            model=name,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            seed=self.seed,
            stop=tuple(self.stop),
            thinking=self.thinking,
            options=self.options,
        )


def model_name(model: Model | str | None) -> str | None:
    """What a model is called, however it was given; None for the configured default."""
    return model.name if isinstance(model, Model) else model
