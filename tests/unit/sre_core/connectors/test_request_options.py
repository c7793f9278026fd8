"""Options of a request that are a connector's own."""

import pytest
from pydantic import BaseModel, ConfigDict

from sre_core.connectors.request_options import read_options
from sre_core.errors import ConfigError


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    effort: str | None = None
    top_k: int | None = None


def test_options_are_read_with_their_types():
    assert read_options(Options, {"top_k": 3}, connector="any") == Options(top_k=3)
    assert read_options(Options, {}, connector="any") == Options()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"efort": "low"}, "llm connector 'any' knows no option 'efort'"),
        ({"top_k": "many"}, "the option 'top_k' is wrong"),
    ],
)
def test_an_option_that_is_unknown_or_wrong_is_named_with_those_there_are(options: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message) as raised:
        read_options(Options, options, connector="any")
    assert raised.value.hint == "its options are effort, top_k"
