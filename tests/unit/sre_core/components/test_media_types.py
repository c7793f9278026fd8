import pytest

from sre_core.components.media_types import UNKNOWN, clean_media_type, extension, guess_media_type, is_text, sniff


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png"),
        (b"%PDF-1.7\nall printable", "application/pdf"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"BMW builds cars", None),
        (b"MZ is a text", None),
        (b"", None),
    ],
)
def test_bytes_show_what_they_are(data: bytes, found: str | None) -> None:
    assert sniff(data) == found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain\ttext\r\n", True),
        ("ü".encode() * 10_000, True),
        (b"a" + "ü".encode() * 10_000, True),
        (b"nul\x00", False),
        (b"\xff\xfe", False),
        (b"cut \xc3", False),
        (b"a" * 10 + b"\xff" + b"a" * 9000, False),
    ],
)
def test_a_text_is_utf_8_without_control_characters(data: bytes, expected: bool) -> None:
    assert is_text(data) is expected


def test_what_was_declared_counts_before_what_is_guessed() -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    assert guess_media_type(png, declared="Image/X-Mine; a=b") == "image/x-mine"
    assert guess_media_type(png, declared=UNKNOWN, name="x.pdf") == "image/png"
    assert guess_media_type(b"a,b", name="x.csv") == "text/csv"
    assert guess_media_type(b"a,b") == "text/plain"
    assert guess_media_type(b"\x00\x01") == UNKNOWN


@pytest.mark.parametrize("declared", ["", "image", "image/", "a b/c", "text/html\r\nX: y", "<script>/x"])
def test_what_is_no_media_type_is_unknown(declared: str) -> None:
    assert clean_media_type(declared) == UNKNOWN


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [
        ("text/plain", ".txt"),
        ("image/jpeg", ".jpg"),
        ("text/markdown", ".md"),
        ("application/xml", ".xml"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
        ("audio/wav", ".wav"),
        (UNKNOWN, ""),
        ("x/y", ""),
    ],
)
def test_a_media_type_has_its_usual_ending(media_type: str, ending: str) -> None:
    assert extension(media_type) == ending
