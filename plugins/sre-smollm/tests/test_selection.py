"""Which engine is taken, and settings that contradict each other or make no sense."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sre_core.errors import ConfigError
from sre_smollm.local_model import find_model
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.selection import select
from sre_smollm.settings import SmolLMSettings

from .tiny_compiled import save  # noqa: TID252

ONLY_TRANSFORMERS = [
    {"device": "cuda"},
    {"device_map": "auto"},
    {"memory_limit": "6GiB"},
    {"dtype": "bfloat16"},
    {"quantization": "none"},
]


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return save(tmp_path, "smollm3")


@pytest.mark.parametrize("asked", ONLY_TRANSFORMERS)
def test_what_only_transformers_can_do_makes_auto_take_it(folder, asked):
    assert select(folder, SmolLMSettings(device="cpu")).engine == "compiled"
    assert select(folder, SmolLMSettings(**{"device": "cpu", **asked})).engine == "transformers"


@pytest.mark.parametrize("asked", ONLY_TRANSFORMERS)
def test_what_the_engine_cannot_do_is_told_and_not_ignored(folder, asked):
    ((name, value),) = asked.items()
    with pytest.raises(ConfigError, match=f"{name} = '{value}'") as error:
        select(folder, SmolLMSettings(engine="compiled", **asked))
    assert error.value.hint == f"leave {name} out, or set engine = 'transformers'"


@pytest.mark.parametrize("size", ["6GiB", "60KB", "1.5 GB", "500mb"])
def test_a_memory_limit_is_a_number_with_a_unit(size):
    assert SmolLMSettings(memory_limit=size).memory_limit == size


@pytest.mark.parametrize("size", ["lots", "6", "GiB", "-1GiB", "6 gigabytes", ""])
def test_a_memory_limit_that_is_no_size_is_told_before_anything_is_loaded(size):
    with pytest.raises(ValidationError, match="a size such as '6GiB'"):
        SmolLMSettings(memory_limit=size)


@pytest.mark.parametrize("name", ["minilm", "sentence-transformers/all-MiniLM-L6-v2"])
def test_a_model_of_embeddings_is_not_taken_to_write(name):
    with pytest.raises(ConfigError, match="'minilm' computes embeddings") as error:
        find_model(SmolLMSettings(model=name))
    assert "embedding_model = 'minilm'" in str(error.value.hint)
