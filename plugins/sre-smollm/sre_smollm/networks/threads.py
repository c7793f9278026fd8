"""How many processor threads torch computes a step with. Importing it loads torch."""

import os
from dataclasses import dataclass

import torch

__all__ = ["Threads"]

# Tokens of one step from which on the products are large enough to be worth sharing.
_MANY = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """`read` threads for steps of many tokens, all cores if not given; `write` for the others.

    A step of few tokens waits for memory, and with several threads each of its small products waits for the slowest.
    """

    read: int | None = None
    write: int = 1

    def use(self, tokens: int) -> None:
        """Set the number for steps of `tokens` tokens that this thread computes from now on."""
        wanted = (self.read or _cores()) if tokens >= _MANY else self.write
        if torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
