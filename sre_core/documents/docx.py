"""DOCX, the files of Word: headings, paragraphs, lists, tables and footnotes."""

from dataclasses import replace
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from sre_core.documents.document import Document, DocumentLimits, broken_files
from sre_core.documents.html import html_document
from sre_core.errors import ConfigError

__all__ = ["DOCX", "DOCX_PART", "read_docx"]

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

DOCX_PART = "word/document.xml"
"""What a ZIP file has in it when it is one of Word's."""

_PROPERTIES = "docProps/core.xml"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read_docx(data: bytes, name: str, limits: DocumentLimits) -> Document:
    """The text, by headings. What is linked from elsewhere is not fetched, and pictures have no text.

    Raises ConfigError for a file that is broken, packed too tightly, or has a DTD, which may hold a bomb.
    """
    from xml.parsers.expat import ExpatError

    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # neither has this part
    from defusedxml.ElementTree import ParseError  # type: ignore[import-untyped]  # it has no types of its own

    errors = (BadZipFile, ExpatError, ParseError, DefusedXmlException)
    with broken_files(name, "DOCX", *errors), ZipFile(BytesIO(data)) as package:
        size = sum(part.file_size for part in package.infolist())
        if size <= limits.unpacked_bytes:
            _refuse_dtds(package)
            title = _title(package)
            source = _as_html(data)
    if size > limits.unpacked_bytes:
        raise ConfigError(
            f"the DOCX {name!r} unpacks to {size:,} bytes, more than {limits.unpacked_bytes:,}", hint="split it"
        )
    document = html_document(source, name)
    return replace(document, media_type=DOCX, title=title or document.title)


def _as_html(data: bytes) -> str:
    import mammoth  # type: ignore[import-untyped]  # it has no types of its own

    # Pictures would be put into the text as base64.
    without_pictures = mammoth.images.img_element(lambda _: {"src": ""})
    result = mammoth.convert_to_html(BytesIO(data), convert_image=without_pictures, external_file_access=False)
    return str(result.value)


def _refuse_dtds(package: ZipFile) -> None:
    """Open each part as far as its first element: a DTD would come before it."""
    from defusedxml.ElementTree import iterparse

    for part in package.infolist():
        if part.filename.endswith((".xml", ".rels")):
            with package.open(part) as file:
                next(iter(iterparse(file, events=("start",), forbid_dtd=True)), None)


def _title(package: ZipFile) -> str:
    from defusedxml.ElementTree import parse

    if _PROPERTIES not in package.namelist():
        return ""
    with package.open(_PROPERTIES) as file:
        return (parse(file, forbid_dtd=True).findtext(_TITLE) or "").strip()
