"""Places for the processes that components start: a machine runs only so many at once in their time."""

import os

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

__all__ = ["process_places"]

_PER_PROCESSOR = 2
_places: RunVar[CapacityLimiter] = RunVar("sre_process_places")


def process_places() -> CapacityLimiter:
    """The places in this event loop, two for each processor, for all components together.

    `async with process_places():` waits for one. Take it before the time of a run begins to count, and hold it until
    the process has ended; who holds one takes no second.
    """
    try:
        return _places.get()
    except LookupError:
        places = CapacityLimiter(_PER_PROCESSOR * (os.cpu_count() or 1))
        _places.set(places)
        return places
