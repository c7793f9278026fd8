"""The pytest plugin that `sre-runtime[testing]` brings; it must import at once, for every pytest of its users."""

import pytest

__all__: list[str] = []

# Before a kit is imported, so that its plain assertions say what they compared.
pytest.register_assert_rewrite("sre_core.testing.conformance")
