"""Settings of connectors keep what they hold to themselves."""

import pytest
from pydantic import SecretStr, ValidationError

from sre_core.connectors import Settings


class Keyed(Settings):
    key: SecretStr
    size: int = 1


@pytest.mark.parametrize(
    "given", [{"key": ["secret-4711"]}, {"key": "x", "size": "secret-4711"}, {"ky": "secret-4711"}]
)
def test_settings_that_are_refused_are_not_quoted(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        Keyed.model_validate(given)
    assert "secret-4711" not in str(refused.value)
