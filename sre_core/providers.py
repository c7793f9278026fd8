"""Which package provides which connector, and which reaches whose models, to name it when it is missing."""

from collections.abc import Mapping

__all__ = ["COMPONENT_PROVIDERS", "MODEL_PROVIDERS", "PROVIDERS"]

PROVIDERS: Mapping[tuple[str, str], str] = {
    ("llm", "smollm"): "sre-smollm",
    ("llm", "openai"): "sre-openai",
    ("llm", "anthropic"): "sre-anthropic",
    ("llm", "google"): "sre-google",
    ("llm", "bedrock"): "sre-aws",
    ("storage", "s3"): "sre-aws",
    ("storage", "gcs"): "sre-gcp",
    ("storage", "azure"): "sre-azure",
    ("vectors", "milvus"): "sre-milvus",
    ("vectors", "pinecone"): "sre-pinecone",
    ("cache", "redis"): "sre-redis",
    ("vault", "hashicorp"): "sre-hashicorp",
    ("vault", "aws-secrets"): "sre-aws",
}

COMPONENT_PROVIDERS: Mapping[str, str] = {
    "ECMASandbox": "sre-javascript",
    "MCPClient": "sre-mcp",
    "PythonSandbox": "sre-monty",
    "ServerlessCode": "sre-aws",
    "WebReader": "sre-web",
}
"""The package that provides each component type that is no part of the runtime."""

_COMPATIBLE = (
    *("azure", "deepseek", "groq", "huggingface", "llamacpp", "lmstudio", "mistral", "ollama", "openai", "openrouter"),
    *("perplexity", "sglang", "together", "vllm", "xai"),
)

MODEL_PROVIDERS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_COMPATIBLE, ("openai", "sre-openai")),
    **{name: (name, PROVIDERS["llm", name]) for name in ("smollm", "anthropic", "google", "bedrock")},
}
"""The connector and the package for the models of each provider that is known."""
