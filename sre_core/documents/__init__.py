"""Documents: the text of files, and the chunks that it is searched by."""

from sre_core.documents.chunk import Chunk, split
from sre_core.documents.document import Document, DocumentLimits, Section
from sre_core.documents.parse import parse

__all__ = ["Chunk", "Document", "DocumentLimits", "Section", "parse", "split"]
