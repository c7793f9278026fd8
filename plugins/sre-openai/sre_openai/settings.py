"""Settings of the connector: which server, which models, within which limits."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr

from sre_core.connectors.base import Settings

__all__ = ["ApiName", "Capability", "OpenAISettings", "PresetName"]

ApiName = Literal["chat", "responses"]
Capability = Literal["audio", "documents", "embed", "image-generation", "images", "reasoning", "schema", "tools"]
PresetName = Literal[
    "azure",
    "compatible",
    "deepseek",
    "groq",
    "huggingface",
    "llamacpp",
    "lmstudio",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "sglang",
    "together",
    "vllm",
    "xai",
]


class OpenAISettings(Settings):
    """What `[connectors.llm.<id>]` with `use = "openai"` takes; what is not given is as the preset says."""

    preset: PresetName | None = Field(
        default=None, description="Whose server it is. If not given: openai, or compatible where there is a `url`."
    )
    url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description='Base URL of the API, such as "http://127.0.0.1:8000/v1"; of azure, the endpoint of the resource.',
    )
    key: SecretStr | None = Field(default=None, description="API key; local servers need none.")
    model: str | None = Field(
        default=None, description="Model of requests that name none; of a local server, if not given, its first one."
    )
    api: ApiName | None = Field(
        default=None, description="Which of the two APIs is used: chat completions, or Responses."
    )
    embedding_model: str | None = Field(default=None, description="What `embed` uses when it is not told.")
    embedding_dimensions: int | None = Field(
        default=None, ge=1, description="Length of the vectors, for models that can shorten them."
    )
    embedding_batch: int = Field(default=256, ge=1, description="Texts that are embedded by one request.")
    image_model: str | None = Field(default=None, description="What `generate_images` uses when it is not told.")
    models: tuple[str, ...] = Field(
        default=(), description="The models that there are, instead of those that the server lists."
    )
    effort: str | None = Field(
        default=None, description="How hard a model thinks that can: none, minimal, low, medium, high, xhigh, max."
    )
    image_detail: Literal["auto", "low", "high"] | None = Field(
        default=None, description="How closely images are looked at; the server's own habit if not given."
    )
    capabilities: frozenset[Capability] | None = Field(
        default=None, description="What server and models can do, instead of what the preset says of them."
    )
    organization: str | None = Field(default=None, description="Organization that is billed.")
    project: str | None = Field(default=None, description="Project that is billed.")
    api_version: str | None = Field(
        default=None,
        description="Of azure: a version such as 2024-10-21, to reach models by their deployments; its v1 API if not "
        "given.",
    )
    headers: Mapping[str, SecretStr] = Field(
        default_factory=dict, description="Headers that go with every request, such as what a gateway wants."
    )
    timeout: float = Field(
        default=300.0, gt=0, description="Seconds that the server may be silent, before its reply and between pieces."
    )
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds to connect.")
    max_connections: int = Field(default=1000, ge=1, description="Requests under way at once; more wait.")
