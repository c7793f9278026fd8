"""What the catalogue knows of the models on this machine."""

from sre_smollm import SmolLMSettings, register_models
from sre_smollm.weights.known import KNOWN


def test_every_known_model_is_an_entry_that_picks_it_and_costs_nothing():
    entries = {entry.id: entry for entry in register_models()}
    assert list(entries) == [f"smollm/{known.name}" for known in KNOWN]
    assert all((entry.input_price, entry.output_price) == (0, 0) for entry in entries.values())
    assert entries["smollm/smollm3"].settings == {"model": "smollm3"}
    assert entries["smollm/minilm"].settings == {"embedding_model": "minilm"}
    assert all(SmolLMSettings.model_validate(entry.settings) for entry in entries.values())


def test_only_a_model_that_thinks_or_sees_is_said_to():
    features = {entry.id: entry.features for entry in register_models()}
    assert {id_ for id_, words in features.items() if "reasoning" in words} == {"smollm/smollm3"}
    assert {id_ for id_, words in features.items() if "images" in words} == {"smollm/smolvlm"}
