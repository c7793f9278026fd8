"""Which files a run has made: the only ones that it reads as the agent."""

from collections.abc import Iterator

__all__ = ["StoredFiles"]


class StoredFiles:
    """The addresses of the files that components stored in one run.

    A caller who may read none of the agent's files still gets an answer that was made of them. Any other address is
    read as the caller, since it may have come with the request.
    """

    __slots__ = ("_addresses",)

    def __init__(self) -> None:
        self._addresses: set[str] = set()

    def add(self, address: str) -> None:
        """Remember a file. For `store_file` and components that write files: never for an address that came in."""
        self._addresses.add(address)

    def __contains__(self, address: str) -> bool:
        return address in self._addresses

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._addresses))

    def __len__(self) -> int:
        return len(self._addresses)
