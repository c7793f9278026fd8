"""The pages of the documentation, and the code blocks in them."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXAMPLES", "ROOT", "Block", "blocks", "environ", "pages", "read", "rows"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block; `made` tells whether cog wrote it, and so checks it."""

    page: str
    language: str
    text: str
    made: bool


def pages() -> list[Path]:
    """README and all pages below docs and examples."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples/README.md"]


def read(name: str) -> str:
    """A page by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[Block]:
    """The code blocks of a language on all pages."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            before = text[: found.start()]
            if found[1] == language:
                made = before.count("[[[cog") > before.count("[[[end]]]")
                name = page.relative_to(ROOT).as_posix()
                yield Block(page=name, language=language, text=found[2], made=made)


def rows(page: str) -> list[list[str]]:
    """The cells of all tables of a page, row by row."""
    lines = [line for line in read(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def environ(folder: Path) -> dict[str, str]:
    """The environment for a program that keeps to `folder`, with `sre` on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "PYTEST_", "COV_"))}
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    homes = {name: str(folder / ".home" / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return kept | homes | {"PATH": binaries, "NO_COLOR": "1"}
