"""Multipart forms that no field can leave."""

from email.message import Message
from email.parser import BytesParser

import pytest

from sre_core.components.web.multipart import Part, encode_multipart
from sre_core.messages import File


def parts_of(parts) -> list[Message]:
    """As another library reads it."""
    data, content_type = encode_multipart(parts)
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    return list(message.get_payload())


def test_texts_and_files_come_out_as_they_went_in():
    text, file = parts_of(
        [
            Part(name="title", value="Grüße\r\nund mehr"),
            Part(name="image", value=File(name="a b.png", media_type="image/png", data=b"\x00\r\n--\xff")),
        ]
    )
    assert text.get_param("name", header="content-disposition") == "title"
    assert text.get_payload(decode=True).decode() == "Grüße\r\nund mehr"
    assert text.get_filename() is None
    assert text["Content-Type"] is None
    assert file.get_param("name", header="content-disposition") == "image"
    assert file.get_filename() == "a b.png"
    assert file.get_content_type() == "image/png"
    assert file.get_payload(decode=True) == b"\x00\r\n--\xff"


@pytest.mark.parametrize(
    "attack",
    [
        'x"\r\nContent-Type: text/html\r\n\r\n<script>',
        'x"; filename="evil.php',
        "x\r\n\r\nbody\r\n--boundary--",
        "x\x00\x01\x7fy",
        "x\\",
        '\\"; name="admin',
    ],
)
def test_a_name_cannot_end_its_header(attack):
    file = File(name=attack, media_type="image/png", data=b"data")
    data, _ = encode_multipart([Part(name=attack, value=file), Part(name="role", value="user")])
    heads = [part.partition(b"\r\n\r\n")[0] for part in data.split(b"\r\n--")]
    assert [head.count(b"\r\n") for head in heads[:2]] == [2, 1]
    one, other = parts_of([Part(name=attack, value=file), Part(name="role", value="user")])
    assert one.get_payload(decode=True) == b"data"
    assert other.get_param("name", header="content-disposition") == "role"


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\windows\\evil.exe", "/", ""])
def test_the_name_of_a_file_is_no_path(name):
    (part,) = parts_of([Part(name="f", value=File(name=name, media_type="text/plain", data=b"x"))])
    assert part.get_filename() in {"passwd", "evil.exe", "file"}


@pytest.mark.parametrize("media_type", ["text/plain\r\nX: y", "", "nonsense", "a/b; c=\n"])
def test_a_media_type_that_is_none_is_unknown(media_type):
    (part,) = parts_of([Part(name="f", value=File(name="a", media_type=media_type, data=b"x"))])
    assert part.get_content_type() == "application/octet-stream"
    assert part["X"] is None


def test_no_value_can_guess_the_boundary():
    one, _ = encode_multipart([Part(name="a", value="b")])
    other, _ = encode_multipart([Part(name="a", value="b")])
    assert one.split(b"\r\n")[0] != other.split(b"\r\n")[0]


def test_a_form_without_fields_is_a_form():
    data, content_type = encode_multipart([])
    assert content_type.startswith("multipart/form-data; boundary=")
    assert data.startswith(b"--")
