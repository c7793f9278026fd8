"""Embeddings: what each maker's models are asked, and what they answer."""

from collections.abc import Sequence
from typing import Any

from sre_aws.bedrock.traits import family
from sre_core.errors import NotFoundError

__all__ = ["batch_size", "embedding_body", "vectors_of"]

_COHERE_BATCH = 96


def batch_size(model: str) -> int:
    """How many texts go into one request. Raises NotFoundError for models that are not known to embed."""
    match family(model):
        case "amazon":
            return 1
        case "cohere":
            return _COHERE_BATCH
        case maker:
            raise NotFoundError(
                f"it is not known how models of {maker!r} embed, such as {model!r}",
                hint="use one of Titan or Cohere: amazon.titan-embed-text-v2:0, cohere.embed-multilingual-v3",
            )


def embedding_body(model: str, texts: Sequence[str], dimensions: int | None) -> dict[str, Any]:
    """The body of one request."""
    if family(model) == "cohere":
        body = {"texts": list(texts), "input_type": "search_document", "embedding_types": ["float"], "truncate": "END"}
        return body | ({"output_dimension": dimensions} if dimensions is not None else {})
    body = {"inputText": texts[0]}
    return body | ({"dimensions": dimensions} if dimensions is not None else {})


def vectors_of(model: str, answer: Any) -> list[list[float]]:
    """The vectors in the answer to one request. Raises LookupError, TypeError or ValueError when there are none."""
    if family(model) == "cohere":
        found = answer["embeddings"]
        rows = found["float"] if isinstance(found, dict) else found
    else:
        rows = [answer["embedding"]]
    return [[float(number) for number in row] for row in rows]
