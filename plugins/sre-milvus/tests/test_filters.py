"""Conditions as filter expressions, judged by Milvus Lite itself: whatever is asked, and whatever the text."""

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sre_core.builtin.vector_filter import predicate
from sre_core.connectors.vectors import Comparison, Condition, Scalar, VectorRecord
from sre_milvus import MilvusSettings, MilvusVectors
from sre_milvus.filters import expression, quoted

pytestmark = pytest.mark.integration

NASTY = [
    "",
    " ",
    '"',
    "'",
    "\\",
    '\\"',
    '" or id != "',
    '"] or 1 == 1 or metadata["x',
    "\n",
    "\r\n\t",
    "\x00",
    "\x0b\x85\u2028",
    "%",
    "a%b_",
    "{x}",
    "$meta",
    "Grüße 世界 🎈",
    "1",
    "true",
    "null",
    "é",
]
NUMBERS = [0, 1, -1, 2020, 2**53 + 1, -(2**63), 2**63 - 1, 0.5, -0.1, 1.0, 1e-7, 1e300, 5e-324, 1e20]
FIELDS = ["x", "a b", 'say "hi"', "x]", "日本", "s_x", "", "a.b/c~d"]
VALUES: list[Scalar] = [*NASTY, *NUMBERS, True, False]

fields = st.sampled_from(FIELDS)
values: st.SearchStrategy[Scalar] = st.sampled_from(VALUES)
metadata = st.dictionaries(fields, values, max_size=4)
asked = (
    values
    | st.text(max_size=5)
    | st.floats()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([math.inf, -math.inf, math.nan, 10**400, -(10**400), 10**20, "\ud800"])
)
ORDERED = [Comparison.EQ, Comparison.NE, Comparison.GT, Comparison.GTE, Comparison.LT, Comparison.LTE]
conditions = st.builds(Condition, fields, st.sampled_from(ORDERED), asked) | st.builds(
    Condition, fields, st.sampled_from([Comparison.IN, Comparison.NIN]), st.lists(asked, max_size=6).map(tuple)
)


class Table:
    """A collection with a record for each way that a field can be, and its metadata."""

    def __init__(self, runner: asyncio.Runner, connector: MilvusVectors) -> None:
        self.runner = runner
        self.connector = connector
        self.rows: dict[str, dict[str, Any]] = {"empty": {}}
        for number, value in enumerate(VALUES):
            for field in FIELDS:
                self.rows[f"{number}/{field}"] = {field: value}
        for number, value in enumerate(VALUES):
            other = VALUES[-number - 1]
            self.rows[f"two{number}"] = {"x": value, "a b": other}

    async def fill(self) -> None:
        await self.connector.create("agent/a/table", 2)
        records = [VectorRecord(id=key, vector=[1, 0], metadata=value) for key, value in self.rows.items()]
        await self.connector.upsert("agent/a/table", records)

    def select(self, where: list[Condition]) -> set[str]:
        found = self.runner.run(self.connector.query("agent/a/table", [1, 0], k=len(self.rows), where=where))
        return {match.id for match in found}


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Iterator[Table]:
    connector = MilvusVectors(MilvusSettings(uri=tmp_path_factory.mktemp("milvus") / "filters.db"))
    with asyncio.Runner() as runner:
        runner.run(connector.start())
        try:
            made = Table(runner, connector)
            runner.run(made.fill())
            yield made
        finally:
            runner.run(connector.stop())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.lists(conditions, min_size=1, max_size=3))
@example(where=[Condition("x", Comparison.NE, '" or id != "')])
@example(where=[Condition("x", Comparison.EQ, 10**20)])
@example(where=[Condition("x", Comparison.IN, tuple(NASTY))])
@example(where=[Condition("x", Comparison.NIN, (*NASTY, 1, True))])
def test_milvus_selects_the_records_that_meet_the_conditions(table, where):
    meets = predicate(where)
    assert table.select(where) == {key for key, value in table.rows.items() if meets(value)}


@settings(max_examples=150, deadline=None)
@given(where=st.lists(conditions, min_size=1, max_size=3))
def test_the_expression_alone_leaves_nobody_out(table, where):
    """What is compared once more can only get fewer; and for what records can hold, the expression is exact."""
    from sre_milvus.requests import page

    store = table.connector._session.store
    place = table.runner.run(table.connector._session.layout.find("agent/a/table"))
    request = page(place, expression(where), after=None, limit=10_000, fields=[])
    answer = table.runner.run(store._call(place, "Query", request))
    found = {key for field in answer.fields_data if field.field_name == "id" for key in field.scalars.string_data.data}
    meets = predicate(where)
    true = {key for key, value in table.rows.items() if meets(value)}
    assert true <= found
    if all(is_keepable(value) for condition in where for value in as_tuple(condition.value)):
        assert found == true


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def is_keepable(value: Scalar) -> bool:
    if isinstance(value, str):
        return "\ud800" not in value
    return -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)


def test_text_is_a_literal_whatever_it_holds():
    assert quoted('say "hi"\\\n') == '"say \\"hi\\"\\\\\\n"'


def test_conditions_on_nothing_make_no_filter():
    assert expression([]) == ""
    assert expression([Condition("x", Comparison.NIN, ())]) == ""
    assert expression([Condition("x", Comparison.NE, math.nan)]) == ""


def test_a_long_list_is_nested_no_deeper_than_a_parser_goes():
    text = expression([Condition("x", Comparison.IN, tuple(f"v{n}" for n in range(5000)))])
    depth = deepest = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    assert deepest < 20
