"""DataSourceIndexer: make a text, a file or a page one that the team's agents can be asked about."""

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field
from pydantic_core import to_json

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.files import is_file_value, is_url, read_file
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.rag.data_sources import MAX_NAMESPACE, DataSources, Piece, Source, clean_text
from sre_core.components.rag.embedder import choose_embedder
from sre_core.components.template import as_text, expand, expand_value
from sre_core.components.web.json_template import fill_json, parse_json_template
from sre_core.documents import Document, DocumentLimits, parse, split
from sre_core.documents.chunk import DEFAULT_OVERLAP, DEFAULT_SIZE
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = ["DataSourceIndexer", "DataSourceIndexerSettings"]

_MAX_METADATA = 10_000
_MAX_LABEL = 200
# Two braces begin a placeholder.
_OBJECT = re.compile(r"\s*\{(?!\{)")


class DataSourceIndexerSettings(ComponentSettings):
    """Where a text goes, and how it is cut."""

    namespace: str = Field(
        default="", max_length=MAX_NAMESPACE, description="the namespace; may hold placeholders, as in {{Topic}}"
    )
    id: str = Field(
        default="",
        max_length=1000,
        description="the data source's id: ASCII letters, digits, '-', '_' and '.'; may hold placeholders; a new one "
        "if it is empty",
    )
    name: str = Field(default="", max_length=1000, description="what people call it; may hold placeholders")
    metadata: Annotated[str, Field(max_length=_MAX_METADATA)] | dict[str, Any] = Field(
        default="", description="what every chunk carries: a JSON object, or a text; may hold placeholders"
    )
    chunk_size: int = Field(default=DEFAULT_SIZE, ge=20, le=32_000, description="longest chunk, in characters")
    chunk_overlap: int = Field(
        default=DEFAULT_OVERLAP,
        ge=0,
        description="what a chunk shares with the one before it, in characters: at most half of the size",
    )
    embedding_model: str = Field(
        default="", max_length=200, description="the model that makes vectors; the local MiniLM if it is empty"
    )
    version: Literal["v1", "v2"] = Field(
        default="v1", description="v1 replaces a data source of the same id, v2 makes that an error"
    )


class DataSourceIndexer(Component):
    """Makes a text one that DataSourceLookup finds: cuts it into chunks, and keeps a vector of each.

    `Source` is a text, a file or the address of one: PDF, DOCX, HTML, Markdown or plain text. `Success` is
    `{"result": true, "id", "chunks"}` with the data source's whole id, `<team>::<namespace>::<id>`, and the number of
    chunks. All agents of the team find it, and with its id they may replace it.

    Unlike in SmythOS, addresses are read, namespaces keep what stands before their first "_", and sizes of chunks
    count in both versions. An indexing that fails changes nothing.
    """

    name = "DataSourceIndexer"
    settings_type = DataSourceIndexerSettings
    settings: DataSourceIndexerSettings
    inputs = (InputPort(name="Source", description="a text, a file, or an address"),)
    outputs = (OutputPort(name="Success", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Read, cut and keep."""
        given = self.settings
        sources = DataSources(await expand(given.namespace, inputs, context, node=self.node), context)
        named = (await expand(given.id, inputs, context, node=self.node)).strip()
        id_ = sources.full_id(named or secrets.token_hex(8))
        metadata = await self._metadata(inputs, context)
        embedder = choose_embedder(given.embedding_model, context)
        document = await _read(inputs.get("Source"), context)
        label = (await expand(given.name, inputs, context, node=self.node)).strip() or document.title or "Untitled"
        pieces = await anyio.to_thread.run_sync(self._pieces, document, abandon_on_cancel=True)
        source = Source(id=id_, label=clean_text(label[:_MAX_LABEL]), pieces=pieces, metadata=metadata)
        await sources.put(source, embedder, replace=given.version == "v1")
        return {"Success": {"result": True, "id": id_, "chunks": len(pieces)}}

    def check(self) -> Iterator[Flaw]:
        """No namespace, or chunks that overlap too much."""
        if not self.settings.namespace.strip():
            yield Flaw("the setting 'namespace' is empty", "namespace")
        if self.settings.chunk_overlap > self.settings.chunk_size // 2:
            yield Flaw("its chunkOverlap is more than half of its chunkSize", "chunkOverlap")

    def _pieces(self, document: Document) -> list[Piece]:
        chunks = split(document.text, size=self.settings.chunk_size, overlap=self.settings.chunk_overlap)
        return [
            Piece(
                text=clean_text(chunk.text.strip()),
                section=clean_text(document.section_at((chunk.start + chunk.end) // 2)[:_MAX_LABEL]),
            )
            for chunk in chunks
            if chunk.text.strip()
        ]

    async def _metadata(self, inputs: Mapping[str, Any], context: ComponentContext) -> str:
        """The author's metadata as JSON. What comes in fills values there, and adds none."""
        given = self.settings.metadata
        if isinstance(given, str) and _OBJECT.match(given):
            structure = parse_json_template(given, what="its metadata")
            filled = await fill_json(structure, inputs, context, node=self.node)
        else:
            filled = await expand_value(given, inputs, context, node=self.node)
        if filled in ("", None, {}):
            return ""
        try:
            text = to_json(filled, fallback=str).decode()
        except ValueError:
            # What the error says quotes a value.
            raise ComponentError("its metadata has a text that is no Unicode") from None
        if len(text) > _MAX_METADATA:
            raise ComponentError(
                f"its metadata has {len(text)} characters", hint=f"use {_MAX_METADATA} at most: every chunk carries it"
            )
        return text


async def _read(value: Any, context: ComponentContext) -> Document:
    """What was given, as a text. Raises ComponentError, and ConfigError for a file that cannot be read."""
    is_file = is_file_value(value) or isinstance(value, bytes | bytearray | memoryview | File)
    if is_file or (isinstance(value, str) and is_url(value.strip())):
        return await parse(await read_file(value, context, name="Source"))
    text = "" if value is None else as_text(value)
    if not clean_text(text).strip():
        raise ComponentError("nothing came to its input 'Source'", hint="give a text, a file or an address")
    longest = DocumentLimits().characters
    if len(text) > longest:
        raise ComponentError(f"the text in 'Source' has {len(text):,} characters", hint=f"{longest:,} are read at most")
    return Document(text=text, media_type="text/plain")
