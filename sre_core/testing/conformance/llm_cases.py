"""The skills, schemas and files that the kit for language models offers, and how their answers are judged."""

import io
import json
import struct
import wave
import zlib
from typing import Any

from sre_core.messages import File, SkillSpec

__all__ = ["CITY_SCHEMA", "SKILLS", "clip", "page", "picture", "read_city", "sound"]

CITY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}

SKILLS = (
    SkillSpec(name="forecast", description="The weather in a city for some days.", parameters=CITY_SCHEMA),
    SkillSpec(name="travel_guide", description="What to see in a city in some days.", parameters=CITY_SCHEMA),
)


def read_city(text: str) -> dict[str, Any]:
    """The object in `text`, which must fit CITY_SCHEMA."""
    found = json.loads(text)
    assert isinstance(found, dict), f"{text!r} is not a JSON object"
    assert set(found) == {"city", "days"}, f"{text!r} does not have exactly 'city' and 'days'"
    assert isinstance(found["city"], str), f"'city' in {text!r} is not text"
    assert type(found["days"]) is int, f"'days' in {text!r} is not a whole number"
    return found


def picture() -> File:
    """A red square of 64 by 64 pixels."""
    rows = (b"\0" + b"\xff\0\0" * 64) * 64
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return File(name="red.png", media_type="image/png", data=b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def sound() -> File:
    """A quarter of a second of silence."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * 4_000)
    return File(name="silence.wav", media_type="audio/wav", data=data.getvalue())


def page() -> File:
    """A PDF document of one page that says "Hello"."""
    text = b"BT /F1 24 Tf 20 50 Td (Hello) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return File(name="hello.pdf", media_type="application/pdf", data=data + tail % (table, len(data)))


def clip() -> File:
    """The beginning of an MP4 file without any frames: enough to see whether video is taken at all."""
    header = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom")
    return File(name="nothing.mp4", media_type="video/mp4", data=header + struct.pack(">I4s", 8, b"mdat"))
