"""Files of text inside a message, in the encodings that there are."""

import codecs

import pytest

from sre_core.messages import File
from sre_openai.files import quoted

TEXT = "naïve Wörter, 和"


@pytest.mark.parametrize(
    ("data", "media_type", "text"),
    [
        (TEXT.encode(), "text/plain", TEXT),
        (TEXT.encode("utf-8-sig"), "text/plain", TEXT),
        (TEXT.encode("utf-16"), "text/plain", TEXT),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "text/csv", TEXT),
        (TEXT.encode("utf-32"), "text/plain", TEXT),
        ("Wörter".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Wörter"),
        ("Wörter".encode("cp1252"), 'text/plain; format=flowed; Charset="windows-1252"', "Wörter"),
        ("Wörter".encode("latin-1"), "text/plain", "W\ufffdrter"),
        (b"a", "text/plain; charset=klingon", "a"),
        (b"a", "text/plain; charset=hex", "a"),
        (b"xn--a-\xff", "text/plain; charset=idna", "xn--a-\ufffd"),
        (b"", "text/plain", ""),
    ],
)
def test_text_is_read_as_its_mark_or_its_type_says(data: bytes, media_type: str, text: str):
    assert quoted(File(name="a.txt", media_type=media_type, data=data)) == f'<file name="a.txt">\n{text}\n</file>'
