"""Where in Pinecone the records of a collection are."""

from dataclasses import dataclass

from sre_pinecone.responses import Index

__all__ = ["Place", "is_below"]


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace of an index."""

    collection: str
    namespace: str
    index: Index

    def url(self, path: str) -> str:
        """The address of an operation of the index."""
        return f"{self.index.host}/{path}"


def is_below(collection: str, prefix: str) -> bool:
    """Whether a path is `prefix` or below it; "" is above all."""
    return not prefix or collection == prefix or collection.startswith(f"{prefix}/")
