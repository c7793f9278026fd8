"""From the bytes of a file to the pixels of a picture."""

import io
import struct
from typing import TYPE_CHECKING

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FORMATS", "MOST_PIXELS", "read_picture"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""What is told by the bytes, whatever the media type says."""
MOST_PIXELS = 64_000_000
"""A few bytes can unpack to any number of pixels; four bytes each are held for a while."""
# A longer strip would become huge where the shorter side is brought to a size.
_LONGEST_STRIP = 100
# Decoders tell damage in all of these ways; warnings are raised where they are made errors.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, UserWarning)
# The tag of EXIF for how the camera was held.
_ORIENTATION = 0x0112


def read_picture(file: File) -> "Image":
    """The picture in `file`, RGB, upright, on white where it is transparent; of a moving one the first frame. Slow.

    Raises UnsupportedError for a file of another kind, ConfigError for one that is damaged or too large.
    """
    from PIL import Image, UnidentifiedImageError

    if not file.media_type.startswith("image/") or file.data.startswith(b"%PDF"):
        raise UnsupportedError(
            f"the on-device model cannot take the file {file.name!r} ({file.media_type})",
            hint="send images and text alone; of a document the text, or its pages as images",
        )
    try:
        with Image.open(io.BytesIO(file.data), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _too_large(file, f"{opened.width} x {opened.height}")
            if max(opened.size) > _LONGEST_STRIP * min(opened.size):
                raise ConfigError(
                    f"the image {file.name!r} is a strip of {opened.width} x {opened.height} pixels",
                    hint="cut it into pieces",
                )
            opened.seek(0)
            return _upright(opened)
    except UnidentifiedImageError as error:
        raise _unknown(file) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(file, "far more") from error
    except _DAMAGE as error:
        raise ConfigError(
            f"the image {file.name!r} is damaged: {error}", hint="save it again, or send another one"
        ) from error


def _upright(opened: "Image") -> "Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    picture = _opaque(opened)
    try:
        turn = turns.get(opened.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        # What is damaged is said about the picture; its pixels are all there.
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _opaque(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        return _deep(picture)
    if picture.mode == "RGB" and "transparency" not in picture.info:
        picture.load()
        return picture
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")


def _deep(picture: "Image") -> "Image":
    """Of 16 bits for each pixel the upper eight, where a plain conversion would cut off all above 255."""
    import numpy as np
    from PIL import Image

    return Image.fromarray((np.asarray(picture).clip(0, 65535) // 256).astype(np.uint8)).convert("RGB")


def _unknown(file: File) -> UnsupportedError:
    return UnsupportedError(
        f"the file {file.name!r} ({file.media_type}) is no image of a known kind",
        hint=f"known are {', '.join(FORMATS)}: save it as one of them",
    )


def _too_large(file: File, size: str) -> ConfigError:
    return ConfigError(
        f"the image {file.name!r} has {size} pixels, and at most {MOST_PIXELS} are read", hint="make it smaller"
    )
