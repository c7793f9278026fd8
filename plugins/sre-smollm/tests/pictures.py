"""Real images drawn in the tests, and what plain transformers writes about them."""

import io
from collections.abc import Sequence
from pathlib import Path

from sre_core.messages import File


def chart(width: int, height: int, bars: Sequence[int]):
    """A chart of bars between 0 and 100."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    step = width / len(bars)
    for place, bar in enumerate(bars):
        color = ("crimson", "navy", "seagreen", "orange")[place % 4]
        draw.rectangle((place * step + 2, height * (1 - bar / 100), (place + 1) * step - 2, height), fill=color)
    draw.line((0, height - 1, width, height - 1), fill="black")
    return image


def document(width: int, height: int, lines: Sequence[str]):
    """A page of text."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "ivory")
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        draw.text((4, 4 + 12 * place), line, fill="black")
    return image


def saved(image, name: str = "picture.png", kind: str = "PNG", **options) -> File:
    """The image as a file that somebody attaches."""
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return File(name=name, media_type=f"image/{kind.lower()}", data=stream.getvalue())


SALES = chart(150, 70, (20, 90, 55, 70))
COSTS = chart(60, 110, (80, 10, 40))
LETTER = document(90, 120, ("Invoice 17", "milk 3.20", "bread 2.10", "sum 5.30"))
ICON = chart(20, 18, (50,))


def processor(folder: Path):
    """The processor of transformers. That of SmolVLM wants packages for video; Idefics3's writes the same text."""
    from transformers import AutoConfig, AutoImageProcessor, AutoProcessor, AutoTokenizer, Idefics3Processor

    if AutoConfig.from_pretrained(str(folder)).model_type == "llava":
        return AutoProcessor.from_pretrained(str(folder), backend="pil")
    images = AutoImageProcessor.from_pretrained(str(folder), backend="pil")
    # Tiles of 4 x 4 patches, of which two times two become one.
    return Idefics3Processor(images, AutoTokenizer.from_pretrained(str(folder)), image_seq_len=4)


def plain(folder: Path, text: str, images: Sequence, tokens: int, **options) -> tuple[list[int], list[int]]:
    """The ids of a prompt with `<image>` marks, and what `generate` of transformers writes after it, greedily.

    `options` are for the processor.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(str(folder), dtype=torch.float32)
    model.generation_config.eos_token_id = None
    made = processor(folder)(text=[text], images=[list(images)] if images else None, return_tensors="pt", **options)
    made.pop("token_type_ids", None)
    written = model.generate(**made, max_new_tokens=tokens, do_sample=False)
    ids = made["input_ids"][0].tolist()
    return ids, written[0, len(ids) :].tolist()
