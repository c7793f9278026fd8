"""Which package provides which connector, to name it when it is missing."""

from collections.abc import Mapping

__all__ = ["PROVIDERS"]

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
