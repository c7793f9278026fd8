"""FHash hashes texts and bytes."""

import hashlib

import pytest
from pydantic import ValidationError

from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"algorithm": "md5", "encoding": "hex"}, "5eb63bbbe01eeed093cb22bb8f5acdc3"),
        ({"algorithm": "md5", "encoding": "base64"}, "XrY7u+Ae7tCTyyK7j1rNww=="),
        ({"algorithm": "md5", "encoding": "base64url"}, "XrY7u-Ae7tCTyyK7j1rNww"),
        (
            {"algorithm": "md5", "encoding": "binary"},
            bytes.fromhex("5eb63bbbe01eeed093cb22bb8f5acdc3").decode("latin1"),
        ),
        ({}, hashlib.sha256(b"hello world").hexdigest()),
        ({"algorithm": "", "encoding": None}, hashlib.sha256(b"hello world").hexdigest()),
    ],
)
async def test_a_text_has_a_hash(data, expected):
    async with bench() as b:
        assert await b.run("FHash", data, inputs={"Data": "hello world"}) == {"Hash": expected}


async def test_text_is_hashed_as_utf8_and_bytes_as_they_are():
    async with bench() as b:
        text = await b.run("FHash", {}, inputs={"Data": "é"})
        assert await b.run("FHash", {}, inputs={"Data": b"\xc3\xa9"}) == text


async def test_an_empty_text_has_a_hash_too():
    async with bench() as b:
        assert await b.run("FHash", {"algorithm": "md5"}, inputs={"Data": ""}) == {
            "Hash": "d41d8cd98f00b204e9800998ecf8427e"
        }


async def test_a_placeholder_in_the_data_is_hashed_and_not_filled():
    async with bench(secrets={"s": "hidden"}, variables={"v": "hidden"}) as b:
        found = await b.run("FHash", {}, inputs={"Data": "{{KEY(s)}}{{v}}"})
    assert found == {"Hash": hashlib.sha256(b"{{KEY(s)}}{{v}}").hexdigest()}


@pytest.mark.parametrize("inputs", [{}, {"Data": None}, {"Data": 5}, {"Data": {"a": 1}}, {"Data": ["a", "b"]}])
async def test_what_is_no_text_is_refused(inputs):
    async with bench() as b:
        with pytest.raises(ComponentError, match="Data must be text or bytes"):
            await b.run("FHash", {}, inputs=inputs)


async def test_an_unknown_algorithm_is_an_error_when_it_runs():
    async with bench() as b:
        with pytest.raises(ComponentError, match="'sha0'"):
            await b.run("FHash", {"algorithm": "sha0"}, inputs={"Data": "x"})


def test_an_unknown_algorithm_is_found_before_it_runs():
    assert "'sha0'" in made("FHash", {"algorithm": "sha0"}).check()[0].message
    assert made("FHash", {"algorithm": "RSA-SHA1"}).check() == []


async def test_an_unknown_encoding_is_a_wrong_setting():
    async with bench() as b:
        with pytest.raises(ValidationError, match="encoding"):
            await b.run("FHash", {"encoding": "rot13"}, inputs={"Data": "x"})


async def test_a_large_value_has_a_hash():
    data = b"x" * 20_000_000
    async with bench() as b:
        assert await b.run("FHash", {}, inputs={"Data": data}) == {"Hash": hashlib.sha256(data).hexdigest()}
