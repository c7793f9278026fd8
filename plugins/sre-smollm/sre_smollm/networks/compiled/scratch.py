"""Arrays that a step computes in, taken once for as many tokens as are computed at once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CHUNK", "Scratch"]

CHUNK = 128
"""Tokens that are computed at once: enough that weights are read rarely, and few enough that all stays near."""


class Scratch:
    """Float32 arrays (tokens, width), and the flat ones for what is quantised; all of it is written before it is read.

    `queries`, `shared` and `inner` are the widths of queries, of keys, and between the products of the last part.
    """

    def __init__(self, hidden: int, queries: int, shared: int, inner: int) -> None:
        import numpy as np

        widest = CHUNK * max(hidden, queries, inner)
        self._wide = [np.empty((CHUNK, width), np.float32) for width in (queries, shared, shared, hidden, queries)]
        self._wide += [np.empty((CHUNK, inner), np.float32) for _ in range(2)]
        self.numbers = np.empty(2 * widest, np.int8)
        self.scales, self.sums = np.empty(widest // 32, np.float32), np.empty(widest // 32, np.float32)

    def arrays(self, tokens: int) -> "list[NDArray[np.float32]]":
        """q, k, v, h, a, gate, up for so many tokens."""
        return [array[:tokens] for array in self._wide]
