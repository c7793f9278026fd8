"""Runs a kit against connectors that are wrong on purpose.

For plain tests only: `def test_x(): assert failing(Kit, lambda: Wrong(Settings())) == {"test_the_broken_rule"}`.
"""

from collections.abc import Callable
from typing import Any

from sre_core.connectors import Connector
from sre_core.testing.conformance import session


def failing(kit: type[Any], make: Callable[[], Connector] | None = None) -> set[str]:
    """The names of the tests that fail; `make` takes the place of the kit's own.

    Not for async tests: pytest's inner run has an event loop of its own.
    """
    return {failure.test for failure in session.run(lambda: kit, make).failed}
