"""How rows are cut into the calls of llama.cpp, and what is said when it is not installed."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.errors import ConfigError
from sre_smollm.networks.base import Row
from sre_smollm.networks.llamacpp_batch import batches
from sre_smollm.networks.llamacpp_cache import LlamaCppCache
from sre_smollm.networks.llamacpp_loading import load

lengths = st.integers(1, 40).flatmap(lambda length: st.tuples(st.just(length), st.integers(0, length)))


def rows_of(shapes):
    cache = LlamaCppCache(sequences=None)
    return [Row(cache=cache, ids=range(length), keep=keep) for length, keep in shapes]


def test_rows_that_fit_are_one_call():
    (pieces,) = batches(rows_of([(3, 1), (4, 0)]), tokens=7, outputs=1)
    assert [(piece.row, piece.start, piece.stop, piece.keep) for piece in pieces] == [(0, 0, 3, 1), (1, 0, 4, 0)]


def test_a_row_is_cut_where_a_call_is_full():
    found = [
        [(piece.row, piece.start, piece.stop, piece.keep) for piece in pieces]
        for pieces in batches(rows_of([(5, 2), (6, 3)]), tokens=8, outputs=4)
    ]
    assert found == [[(0, 0, 5, 2), (1, 0, 3, 0)], [(1, 3, 6, 3)]]


@given(st.lists(lengths, max_size=8), st.integers(1, 30), st.integers(1, 12))
def test_every_token_is_read_once_in_order_and_no_call_is_too_large(shapes, tokens, outputs):
    read = [0] * len(shapes)
    kept = [0] * len(shapes)
    for pieces in batches(rows_of(shapes), tokens=tokens, outputs=outputs):
        assert pieces
        assert len({piece.row for piece in pieces}) == len(pieces)
        assert sum(piece.stop - piece.start for piece in pieces) <= tokens
        assert sum(piece.keep for piece in pieces) <= outputs
        for piece in pieces:
            assert piece.start == read[piece.row]
            assert piece.stop > piece.start
            length, keep = shapes[piece.row]
            assert piece.keep == max(piece.stop - max(piece.start, length - keep), 0)
            read[piece.row] = piece.stop
            kept[piece.row] += piece.keep
    assert list(zip(read, kept, strict=True)) == shapes


def test_what_to_install_is_said_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(ConfigError, match="not installed") as caught:
        load(Path("model.gguf"), memory_bytes=10**8)
    assert "sre-smollm[llamacpp]" in (caught.value.hint or "")
