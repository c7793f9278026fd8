import time
from base64 import b64encode

import pytest

from sre_core.components.encoded_files import decode_base64, decode_data_url, is_data_url
from sre_core.components.media_types import UNKNOWN
from sre_core.errors import ComponentError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.mark.parametrize(
    "text",
    [
        "male",
        "test",
        "abcd" * 20,
        "5eb63bbbe01eeed093cb22bb8f5acdc3",
        "some data",
        b64encode(b"a text that somebody encoded, which nobody can know").decode(),
        b64encode(PNG).decode()[:-1],
        b64encode(PNG).decode() + "!",
        b64encode(PNG[:12]).decode(),
        "",
    ],
)
def test_a_word_is_no_base64(text: str) -> None:
    assert decode_base64(text) is None


def test_a_file_in_base64_is_one_also_in_lines() -> None:
    text = b64encode(PNG).decode()
    assert decode_base64(text) == PNG
    assert decode_base64("\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)) + "\n") == PNG


def test_a_large_file_takes_no_time() -> None:
    large = PNG + bytes(20 * 2**20)
    begun = time.process_time()
    assert decode_base64(b64encode(large).decode()) == large
    assert decode_base64("a" * (20 * 2**20)) is None
    assert decode_data_url("data:;base64," + b64encode(large).decode()) == (UNKNOWN, large)
    assert time.process_time() - begun < 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data:,x", True),
        ("data:;base64,eA==", True),
        ("data:image/png,x", True),
        ("Data: one, two", False),
        ("data", False),
        ("data:" + "x" * 1000 + ",", False),
    ],
)
def test_a_sentence_about_data_is_no_data_url(text: str, expected: bool) -> None:
    assert is_data_url(text) is expected


def test_base64_that_is_none_is_an_error() -> None:
    for text in ("data:;base64,a", "data:;base64,%%%%", "nothing"):
        with pytest.raises(ComponentError):
            decode_data_url(text)
