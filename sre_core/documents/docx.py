"""DOCX, the files of Word: headings, paragraphs, lists, tables and footnotes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sre_core.documents.document import Document, DocumentLimits, broken_files
from sre_core.documents.html import html_document
from sre_core.errors import ConfigError

__all__ = ["DOCX", "DOCX_PART", "read_docx"]

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

DOCX_PART = "word/document.xml"
"""What a ZIP file has in it when it is one of Word's."""

_PIECE = 64 * 1024
_PROPERTIES = "docProps/core.xml"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read_docx(data: bytes, name: str, limits: DocumentLimits) -> Document:
    """The text, by headings. What is linked from elsewhere is not fetched, and pictures have no text.

    Raises ConfigError for a file that is broken, unpacks to too much, or has a DTD, which may hold a bomb.
    """
    from xml.parsers.expat import ExpatError

    from lxml.etree import LxmlError  # type: ignore[import-untyped]  # it has no types of its own

    with broken_files(name, "DOCX", BadZipFile, ExpatError, LxmlError), ZipFile(BytesIO(data)) as package:
        parts = _parts(package)
        size = sum(part.file_size for part in parts)
        fits = size <= limits.unpacked_bytes and _count(package, parts, limits.elements) <= limits.elements
        title = _title(package) if fits else ""
        source = _as_html(_only(package, parts)) if fits else ""
    if not fits:
        raise ConfigError(
            f"the DOCX {name!r} is too large: it unpacks to {size:,} bytes",
            hint=f"split it; {limits.unpacked_bytes:,} bytes and {limits.elements:,} elements of XML are read at most",
        )
    document = html_document(source, name, limits=limits)
    return replace(document, media_type=DOCX, title=title or document.title)


def _parts(package: ZipFile) -> list[ZipInfo]:
    """The parts that hold XML. Raises ValueError for one that is packed as no program for documents packs."""
    parts = [part for part in package.infolist() if part.filename.endswith((".xml", ".rels"))]
    # Of the other ways to pack, Python unpacks all of a piece at once, and a kilobyte can hold a gigabyte.
    if any(part.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for part in parts):
        raise ValueError("it is packed in an unusual way")
    return parts


def _unpacked(package: ZipFile, part: ZipInfo) -> bytes:
    """A part, no more of it than it says to have: without a size, all that is packed would be unpacked first."""
    with package.open(part) as file:
        return file.read(part.file_size)


def _only(package: ZipFile, parts: Sequence[ZipInfo]) -> BytesIO:
    """A package with these parts: a name may not lead the reader to others, which nobody looked at."""
    made = BytesIO()
    with ZipFile(made, "w") as copy:
        for part in parts:
            copy.writestr(part.filename, _unpacked(package, part))
    return made


def _as_html(file: BytesIO) -> str:
    import mammoth  # type: ignore[import-untyped]  # it has no types of its own

    # Pictures would be put into the text as base64.
    without_pictures = mammoth.images.img_element(lambda _: {"src": ""})
    result = mammoth.convert_to_html(file, convert_image=without_pictures, external_file_access=False)
    return str(result.value)


def _count(package: ZipFile, parts: Sequence[ZipInfo], enough: int) -> int:
    """Read all parts once, for the number of their elements; raises ValueError at a DTD, LxmlError for bad XML."""
    from lxml import etree  # type: ignore[import-untyped]  # as above

    counter = _Counter()
    for part in parts:
        parser = etree.XMLParser(target=counter, resolve_entities=False, no_network=True)
        with package.open(part) as file:
            while counter.count <= enough and (piece := file.read(_PIECE)):
                parser.feed(piece)
        if counter.count > enough:
            break
        parser.close()
    return counter.count


class _Counter:
    """Hears of the elements of XML."""

    def __init__(self) -> None:
        self.count = 0

    def start(self, _: str, __: Mapping[str, str]) -> None:
        """An element begins."""
        self.count += 1

    def doctype(self, *_: str | None) -> None:
        """A DTD, which these files never have."""
        raise ValueError("it has a DTD")

    def close(self) -> None:
        """The part ends."""


def _title(package: ZipFile) -> str:
    from lxml import etree

    if _PROPERTIES not in package.namelist():
        return ""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return (etree.fromstring(_unpacked(package, package.getinfo(_PROPERTIES)), parser).findtext(_TITLE) or "").strip()
