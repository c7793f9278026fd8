"""The index of one collection: exactness where float32 fails, and views that do not change."""

import numpy as np
import pytest

from sre_core.builtin.vector_index import Entry, VectorIndex
from sre_core.connectors.vectors import Metric


def filled(matrix, metric, prefix="r"):
    index = VectorIndex(matrix.shape[1], metric)
    index.put([Entry(f"{prefix}{n:05}") for n in range(len(matrix))], matrix.astype(np.float32))
    return index


def nearest(index, query, k=10):
    with index.view() as view:
        return view.nearest(np.asarray(query, dtype=np.float32), k, ())


def reference(matrix, query, metric):
    wide, q = matrix.astype(np.float32).astype(np.longdouble), np.asarray(query, np.float32).astype(np.longdouble)
    if metric is Metric.L2:
        return -np.sqrt(((wide - q) ** 2).sum(axis=1))
    product = (wide * q).sum(axis=1)
    if metric is Metric.DOT:
        return product
    lengths = np.sqrt((wide**2).sum(axis=1) * (q**2).sum())
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("shift", [0.0, 1e4])
@pytest.mark.parametrize("scale", [1e-40, 1e-25, 1e-3, 1.0, 1e15, 1e30])
def test_the_nearest_are_the_true_nearest_at_every_scale(metric, shift, scale):
    source = np.random.default_rng(5)
    matrix = (source.standard_normal((2000, 24)) + shift) * scale
    matrix[::50] = 0
    query = matrix[123] + scale * source.standard_normal(24) / 10
    true = reference(matrix, query, metric)
    best = np.sort(true)[::-1][:10].astype(float)
    found = nearest(filled(matrix, metric), query)
    assert [match.score for match in found] == pytest.approx(best.tolist(), rel=1e-6, abs=0)
    assert [float(true[int(match.id[1:])]) for match in found] == pytest.approx(best.tolist(), rel=1e-6, abs=0)


@pytest.mark.parametrize("metric", list(Metric))
def test_equal_vectors_tie_wherever_they_lie(metric):
    source = np.random.default_rng(6)
    matrix = source.standard_normal((3001, 387))
    same = source.choice(3001, 100, replace=False)
    query = source.standard_normal(387)
    matrix[same] = query * 2 if metric is not Metric.L2 else query + 1e-3
    found = nearest(filled(matrix, metric), query, k=50)
    assert [match.id for match in found] == [f"r{n:05}" for n in sorted(same)[:50]]
    assert len({match.score for match in found}) == 1


def test_an_open_view_sees_no_later_change():
    index = filled(np.eye(8), Metric.COSINE)
    with index.view() as view:
        index.put([Entry("r00000", text="new")], np.ones((1, 8), dtype=np.float32))
        index.remove(["r00001"])
        index.put([Entry(f"more{n}") for n in range(500)], np.ones((500, 8), dtype=np.float32))
        found = view.nearest(np.eye(8, dtype=np.float32)[0], 100, ())
        assert [(match.id, match.text, match.score) for match in found[:1]] == [("r00000", "", 1.0)]
        assert len(found) == 8
    assert len(nearest(index, np.eye(8)[0], k=1000)) == 507


def test_slots_are_used_again_but_not_while_a_view_is_open():
    index = filled(np.eye(8), Metric.DOT)
    for _ in range(100):
        index.put([Entry("r00003")], np.ones((1, 8), dtype=np.float32))
    assert len(index.entries) == 8
    with index.view():
        for _ in range(10):
            index.put([Entry("r00003")], np.ones((1, 8), dtype=np.float32))
    assert len(index.entries) == 18
    for _ in range(100):
        index.put([Entry("r00004")], np.ones((1, 8), dtype=np.float32))
    assert len(index.entries) == 18
    assert len(index) == 8


def test_memory_grows_by_doubling_and_shrinks_after_a_great_deletion():
    index = VectorIndex(2, Metric.L2)
    capacities = set()
    for n in range(5000):
        index.put([Entry(f"r{n:05}")], np.full((1, 2), n, dtype=np.float32))
        capacities.add(len(index.arrays()[0].base))
    assert len(capacities) < 9
    index.remove([f"r{n:05}" for n in range(4000)])
    index.shrink()
    assert len(index.entries) == 1000
    assert [match.id for match in nearest(index, [4500, 4500], k=3)] == ["r04500", "r04499", "r04501"]
