"""llama.cpp as a network: what happens when something is missing, full, damaged or closed."""

import logging

import numpy as np
import pytest

from sre_core.errors import ConfigError, ConnectorError
from sre_smollm.networks import llamacpp_loading
from sre_smollm.networks.base import OutOfMemoryError, Row

MEMORY_BYTES = 10**7


def test_no_row_is_read_when_there_are_too_few_cells_for_all(small, story):
    long, short = small.cache(), small.cache()
    small.forward([Row(cache=long, ids=story[:150]), Row(cache=short, ids=story[150:200])])
    with pytest.raises(OutOfMemoryError):
        small.forward([Row(cache=short, ids=story[200:205]), Row(cache=long, ids=story[200:260])])
    assert (long.length, short.length) == (150, 50)
    # Nothing was left behind: what fits exactly can still be read, and one token more cannot.
    small.forward([Row(cache=long, ids=story[150:201]), Row(cache=short, ids=story[200:205])])
    with pytest.raises(OutOfMemoryError):
        small.forward([Row(cache=long, ids=story[:1])])
    short.close()
    small.forward([Row(cache=long, ids=story[201:256])])
    assert long.length == 256


def test_a_step_that_fails_in_its_second_call_is_undone(file, story):
    network = llamacpp_loading.load(file, memory_bytes=512 * 23040)
    other, cache = network.cache(), network.cache()
    network.forward([Row(cache=other, ids=story[:200])])
    # A call gives 256 scores at most; the rest is for a second one.
    with pytest.raises(OutOfMemoryError):
        network.forward([Row(cache=cache, ids=story[:320], keep=320)])
    assert cache.length == 0
    network.forward([Row(cache=cache, ids=story[:312])])
    assert cache.length == 312
    network.close()


def test_a_step_larger_than_all_memory_is_refused_at_once(small, story):
    with pytest.raises(OutOfMemoryError, match="256 cells"):
        small.forward([Row(cache=small.cache(), ids=story[:257])])


def test_forks_take_no_cells(small, story):
    origin = small.cache()
    small.forward([Row(cache=origin, ids=story[:200])])
    forks = [origin.fork(200) for _ in range(20)]
    small.forward([Row(cache=fork, ids=story[200:202]) for fork in forks])
    with pytest.raises(OutOfMemoryError):
        small.forward([Row(cache=forks[0], ids=story[202:220])])
    for cache in (origin, *forks):
        cache.close()
    small.forward([Row(cache=origin, ids=story[:256], keep=0)])


def test_more_caches_than_sequences_are_out_of_memory_too(small):
    caches = [small.cache() for _ in range(257)]
    for cache in caches[:256]:
        small.forward([Row(cache=cache, ids=[7])])
    with pytest.raises(OutOfMemoryError, match="sequence"):
        small.forward([Row(cache=caches[256], ids=[7])])
    with pytest.raises(OutOfMemoryError, match="sequence"):
        caches[0].fork(1)
    caches[3].close()
    small.forward([Row(cache=caches[256], ids=[7])])
    assert caches[256].length == 1


def test_a_token_that_does_not_exist_changes_nothing(small):
    good, bad = small.cache(), small.cache()
    before = small.forward([Row(cache=good, ids=[5, 6])])[0]
    with pytest.raises(ConnectorError, match="2 tokens"):
        small.forward([Row(cache=good, ids=[7]), Row(cache=bad, ids=[49152])])
    assert (good.length, bad.length) == (2, 0)
    good.truncate(1)
    assert np.allclose(small.forward([Row(cache=good, ids=[6])])[0], before, atol=0.5)


def test_closing_twice_is_safe_in_any_order(file):
    network = llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES)
    first, second = network.cache(), network.cache()
    network.forward([Row(cache=first, ids=[1, 2]), Row(cache=second, ids=[3])])
    first.close()
    first.close()
    network.close()
    network.close()
    second.close()
    assert (first.length, second.length) == (0, 0)


def test_a_damaged_file_is_refused(file, tmp_path):
    whole = file.read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "text": b"hello", "empty": b""}.items():
        damaged = tmp_path / f"{name}.gguf"
        damaged.write_bytes(content)
        with pytest.raises(ConfigError, match=f"{name}.gguf"):
            llamacpp_loading.load(damaged, memory_bytes=MEMORY_BYTES)


def test_too_little_memory_is_refused_with_the_least_that_works(file):
    with pytest.raises(ConfigError) as caught:
        llamacpp_loading.load(file, memory_bytes=1000)
    assert str(256 * 23040) in (caught.value.hint or "")
    llamacpp_loading.load(file, memory_bytes=256 * 23040).close()


def test_a_context_longer_than_the_model_s_is_refused(file):
    with pytest.raises(ConfigError, match="8192"):
        llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES, context_tokens=8193)
    network = llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES, context_tokens=100)
    assert network.info.context_tokens == 100
    network.close()


def test_its_messages_go_to_the_log_at_debug_only(file, capfd, caplog):
    with caplog.at_level(logging.INFO, logger="sre"):
        llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES).close()
    assert not caplog.records
    with caplog.at_level(logging.DEBUG, logger="sre"):
        llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES).close()
    assert any("llama_model_loader" in str(record.msg) for record in caplog.records)
    assert capfd.readouterr() == ("", "")
