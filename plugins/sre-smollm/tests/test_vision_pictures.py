"""Files become pictures or a clear error, and pictures become ids of their own."""

import gc
import io
import random
import struct
import zlib
from collections import Counter

import pytest

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File
from sre_smollm.vision.gallery import Gallery, Layout, Store
from sre_smollm.vision.pictures import MOST_PIXELS, read_picture

from .pictures import ICON, LETTER, SALES, saved  # noqa: TID252 -- the folder of tests is no package

MARK = 7


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_known_kind_is_read(kind):
    picture = read_picture(saved(SALES, kind=kind))
    assert (picture.mode, picture.size) == ("RGB", SALES.size)
    apart = [abs(one - other) for one, other in zip(picture.tobytes(), SALES.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 12


def test_the_kind_is_told_by_the_bytes_and_not_by_the_name():
    file = saved(LETTER, kind="PNG")
    picture = read_picture(File(name="letter.jpg", media_type="image/jpeg", data=file.data))
    assert picture.tobytes() == LETTER.tobytes()


@pytest.mark.parametrize("held", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photograph_stands_upright(kind, held):
    from PIL import Image, ImageOps

    exif = Image.Exif()
    exif[0x0112] = held
    file = saved(SALES, kind=kind, exif=exif)
    with Image.open(io.BytesIO(file.data)) as image:
        assert read_picture(file).tobytes() == ImageOps.exif_transpose(image).convert("RGB").tobytes()


def test_damaged_bytes_are_a_picture_or_a_clear_error():
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a chart"
    chance = random.Random(3)
    found = Counter()
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        whole = saved(ICON, kind=kind, **({} if kind == "GIF" else {"exif": exif})).data
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(chance.choice((60, len(data))))] = chance.randrange(256)
            try:
                picture = read_picture(File(name="x", media_type="image/png", data=bytes(data)))
            except (ConfigError, UnsupportedError) as error:
                found[type(error)] += 1
            else:
                found[picture.mode] += 1
    assert set(found) == {ConfigError, UnsupportedError, "RGB"}


def test_what_is_transparent_becomes_white():
    from PIL import Image

    image = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    picture = read_picture(saved(image))
    assert [picture.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 255), (255, 255, 255)]
    palette = image.convert("RGB").quantize(4)
    assert read_picture(saved(palette, transparency=palette.getpixel((3, 1)))).getpixel((3, 1)) == (255, 255, 255)


def test_of_a_moving_picture_the_first_frame_is_read():
    from PIL import Image

    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        extra = {"lossless": True} if kind == "WEBP" else {}
        file = saved(frames[0], kind=kind, save_all=True, append_images=frames[1:], **extra)
        assert read_picture(file).getpixel((3, 3)) == (255, 0, 0)


def test_sixteen_bits_for_each_pixel_keep_their_shades():
    import numpy as np
    from PIL import Image

    shades = np.array([[0, 256 * 100, 65535]], dtype=np.uint16)
    picture = read_picture(saved(Image.fromarray(shades)))
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (100, 100, 100), (255, 255, 255)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_damaged_image_is_told_by_its_name(kind):
    whole = saved(SALES, kind=kind)
    for size in (len(whole.data) // 3, len(whole.data) * 2 // 3):
        damaged = File(name="sales.bin", media_type=whole.media_type, data=whole.data[:size])
        with pytest.raises((ConfigError, UnsupportedError), match=r"'sales\.bin'"):
            read_picture(damaged)


@pytest.mark.parametrize(
    ("media", "data", "text"),
    [
        ("application/pdf", b"%PDF-1.7 ...", r"cannot take the file 'a' \(application/pdf\)"),
        ("image/png", b"%PDF-1.7 ...", "cannot take the file 'a'"),
        ("image/svg+xml", b"<svg/>", "no image of a known kind"),
        ("image/png", b"", "no image of a known kind"),
        ("image/tiff", b"II*\0\x08\0\0\0", "no image of a known kind"),
    ],
)
def test_other_files_are_refused(media, data, text):
    with pytest.raises(UnsupportedError, match=text):
        read_picture(File(name="a", media_type=media, data=data))


def _claiming(width: int, height: int) -> File:
    """A PNG of a few bytes that says it is so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return File(name="bomb.png", media_type="image/png", data=data)


@pytest.mark.parametrize("size", [(10_000, 6_500), (10_000, 10_000), (60_000, 60_000)])
def test_a_small_file_that_unpacks_to_too_much_is_refused(size):
    assert size[0] * size[1] > MOST_PIXELS
    with pytest.raises(ConfigError, match=rf"'bomb\.png' has .* pixels, and at most {MOST_PIXELS} are read"):
        read_picture(_claiming(*size))


def test_a_strip_is_refused():
    with pytest.raises(ConfigError, match="is a strip of 5000 x 3 pixels"):
        read_picture(_claiming(5000, 3))


def _file(name: str = "a") -> File:
    return File(name=name, media_type="image/png", data=name.encode())


def _layout(*views: int) -> Layout:
    return Layout(ids=(1, *[MARK] * sum(views), 2), views=views)


def test_equal_bytes_have_equal_ids_and_others_have_none_in_common():
    gallery = Gallery(MARK)
    first = gallery.add(b"a", _file(), _layout(3, 2))
    second = gallery.add(b"b", _file("b"), _layout(5000))
    third = gallery.add(b"c", _file("c"), _layout(1))
    assert first.ids[0] == 1
    assert first.ids[-1] == 2
    marks = [token for picture in (first, second, third) for token in picture.ids if token < 0]
    assert len(set(marks)) == len(marks) == 5006
    assert gallery.add(b"a", _file("z"), _layout(3, 2)) is first
    assert gallery.recall(b"d", _file("d")) is None


def test_an_id_leads_to_its_picture_as_long_as_it_is_held():
    gallery = Gallery(MARK)
    picture = gallery.add(b"a", _file(), _layout(3, 2))
    other = gallery.add(b"b", _file("b"), _layout(5000))
    assert [gallery.find(token)[1] for token in picture.ids[1:-1]] == list(range(5))
    assert [picture.view(mark) for mark in range(5)] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert gallery.find(other.ids[4500]) == (other, 4499)
    ids = picture.ids
    del picture
    gc.collect()
    with pytest.raises(LookupError):
        gallery.find(ids[1])
    # It comes again with the same ids, and can be found again.
    assert (again := gallery.recall(b"a", _file())) is not None
    assert again.ids == ids
    assert gallery.find(ids[1]) == (again, 0)


def test_numbers_begin_anew_without_taking_those_in_use(monkeypatch):
    from sre_smollm.vision import gallery as module

    monkeypatch.setattr(module, "_BLOCKS", 6)
    monkeypatch.setattr(module, "_KNOWN", 2)
    gallery = Gallery(MARK)
    held = gallery.add(b"held", _file(), _layout(4097))
    for number in range(40):
        name = f"{number}"
        passing = gallery.add(name.encode(), _file(name), _layout(2))
        assert not set(passing.ids[1:-1]) & set(held.ids[1:-1])
        assert gallery.find(held.ids[1]) == (held, 0)
        assert gallery.find(passing.ids[2]) == (passing, 1)
        assert min(passing.ids) >= -6 * 4096


def test_a_store_keeps_within_its_limit_what_was_used_last():
    store: Store[str] = Store(10)
    store.put("a", "A", 4)
    store.put("b", "B", 4)
    assert store.get("a") == "A"
    store.put("c", "C", 4)
    assert (store.get("a"), store.get("b"), store.get("c"), store.nbytes) == ("A", None, "C", 8)
    store.put("d", "D", 11)
    assert (store.get("d"), store.nbytes) == (None, 8)
    store.put("a", "AA", 2)
    assert (store.take("a"), store.take("a"), store.nbytes) == ("AA", None, 4)
