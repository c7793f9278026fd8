"""What an entry of the catalogue says of a model."""

import pytest

from sre_core.messages import Usage
from sre_core.models import ModelEntry


@pytest.mark.parametrize(
    ("id_", "provider", "name"),
    [("openai/gpt-5", "openai", "gpt-5"), ("groq/openai/gpt-oss", "groq", "openai/gpt-oss"), ("echo", "llm", "echo")],
)
def test_an_id_is_a_provider_and_the_name_that_its_api_takes(id_, provider, name):
    entry = ModelEntry(id=id_, connector="llm")
    assert (entry.provider, entry.name, entry.is_any) == (provider, name, False)


def test_a_name_can_differ_from_what_the_api_takes():
    assert ModelEntry(id="openai/mine", connector="openai", model="ft:gpt-5:acme").name == "ft:gpt-5:acme"


def test_an_entry_can_stand_for_all_models_of_a_provider():
    assert ModelEntry(id="ollama/*", connector="openai").is_any
    assert not ModelEntry(id="groq/meta/*", connector="openai").is_any


PRICES = {"input_price": 2.0, "output_price": 8.0}


def test_a_cost_counts_what_the_cache_gave_and_took_by_its_own_price():
    entry = ModelEntry(id="a/b", connector="a", **PRICES, cached_price=0.5, cache_write_price=3.0)
    usage = Usage(input_tokens=1_000_000, cached_tokens=400_000, cache_write_tokens=100_000, output_tokens=500_000)
    assert entry.cost(usage) == pytest.approx(0.5 * 2 + 0.4 * 0.5 + 0.1 * 3 + 0.5 * 8)


def test_without_prices_of_the_cache_its_tokens_are_input_like_any():
    usage = Usage(input_tokens=1_000_000, cached_tokens=400_000, cache_write_tokens=100_000)
    assert ModelEntry(id="a/b", connector="a", **PRICES).cost(usage) == pytest.approx(2)


@pytest.mark.parametrize("prices", [{}, {"input_price": 1.0}, {"output_price": 1.0}])
def test_a_cost_is_not_made_up_where_a_price_is_missing(prices):
    assert ModelEntry(id="a/b", connector="a", **prices).cost(Usage(input_tokens=1)) is None


def test_what_is_free_costs_nothing():
    assert ModelEntry(id="a/b", connector="a", input_price=0, output_price=0).cost(Usage(output_tokens=9)) == 0


def test_the_settings_of_an_entry_are_not_in_its_repr():
    assert "sk-4711" not in repr(ModelEntry(id="a/b", connector="a", settings={"key": "sk-4711"}))
