"""Tells when torch finds no memory, whichever way it says so. Importing it loads torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sre_smollm.networks.base import OutOfMemoryError

__all__ = ["memory_errors"]

# The allocators of the processor (Linux, Windows), of Apple's devices, and what oneDNN makes of a failed allocation.
_TOLD = ("can't allocate memory", "not enough memory", "out of memory", "could not create a memory")


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise OutOfMemoryError for what torch raises when there is no memory."""
    try:
        yield
    except OutOfMemoryError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemoryError("there is no memory for this step of the model") from error
    except RuntimeError as error:
        if any(words in str(error) for words in _TOLD):
            raise OutOfMemoryError("there is no memory for this step of the model") from error
        raise
