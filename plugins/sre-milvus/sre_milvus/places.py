"""Where in Milvus the records of a collection are."""

from dataclasses import dataclass

from sre_core.connectors.vectors import Metric

__all__ = ["Place", "is_below", "vector_field"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`name` is a collection in Milvus. If it is shared, ours are the rows with the partition key `space`."""

    collection: str
    name: str
    dimension: int
    metric: Metric
    space: str = ""

    def key_of(self, id: str) -> str:  # noqa: A002 -- the word of the contract
        """The primary key of the record of this id; unique in Milvus's collection."""
        return f"{self.space}/{id}" if self.space else id

    def id_of(self, key: str) -> str:
        """The id of the record with this primary key."""
        return key[len(self.space) + 1 :] if self.space else key


def is_below(collection: str, prefix: str) -> bool:
    """Whether a path is `prefix` or below it; "" is above all."""
    return not prefix or collection == prefix or collection.startswith(f"{prefix}/")


def vector_field(metric: Metric) -> str:
    """The name of the field with the vectors, which tells the metric to whoever describes the collection."""
    return f"vector_{metric.value}"
