"""DataSourceLookup: find the chunks of data sources that are nearest to a question."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.rag.data_sources import MAX_NAMESPACE, DataSources, clean_text
from sre_core.components.rag.embedder import choose_embedder
from sre_core.components.template import as_text, expand
from sre_core.connectors.vectors import Match
from sre_core.errors import ComponentError

__all__ = ["DataSourceLookup", "DataSourceLookupSettings"]


class DataSourceLookupSettings(ComponentSettings):
    """Where it looks, and what it tells."""

    namespace: str = Field(
        default="", max_length=MAX_NAMESPACE, description="the namespace; may hold placeholders, as in {{Topic}}"
    )
    top_k: int = Field(default=10, ge=1, le=1000, description="how many chunks are given at most")
    score_threshold: float = Field(
        default=0.001, ge=-1, le=1, description="the least nearness of a chunk: 1 is the same, 0 has nothing in common"
    )
    include_metadata: bool = Field(default=False, description="whether a result tells where it comes from")
    include_score: bool = Field(default=False, description="whether a result tells how near it is")
    embedding_model: str = Field(
        default="",
        max_length=200,
        description="the model that makes vectors, the one that the data sources were indexed with; the local MiniLM "
        "if it is empty",
    )


class DataSourceLookup(Component):
    """Finds what the data sources of a namespace have to say on a question, the nearest first.

    `Results` are texts; with `includeMetadata` or `includeScore` they are `{"content", "metadata", "score"}` with what
    was asked for. Metadata is that of the author, with `datasourceId`, `datasourceLabel`, `chunkIndex` and `section`
    (a page, or a heading). No result is an empty list, and fires.

    SmythOS's `postprocess`, which never worked there, is ignored, and `model` and `prompt` with it.
    """

    name = "DataSourceLookup"
    settings_type = DataSourceLookupSettings
    settings: DataSourceLookupSettings
    inputs = (InputPort(name="Query", description="the question"),)
    outputs = (OutputPort(name="Results", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Find."""
        given = self.settings
        query = inputs.get("Query")
        text = "" if query is None else clean_text(as_text(query)).strip()
        if not text:
            raise ComponentError("nothing came to its input 'Query'", hint="give the question as text")
        sources = DataSources(await expand(given.namespace, inputs, context, node=self.node), context)
        matches = await sources.find(text, choose_embedder(given.embedding_model, context), k=given.top_k)
        return {"Results": [self._result(match) for match in matches if match.score >= given.score_threshold]}

    def check(self) -> Iterator[Flaw]:
        """No namespace."""
        if not self.settings.namespace.strip():
            yield Flaw("the setting 'namespace' is empty", "namespace")

    def _result(self, match: Match) -> Any:
        if not self.settings.include_metadata and not self.settings.include_score:
            return match.text
        result: dict[str, Any] = {"content": match.text}
        if self.settings.include_metadata:
            result["metadata"] = _metadata(match)
        if self.settings.include_score:
            result["score"] = match.score
        return result


def _metadata(match: Match) -> dict[str, Any]:
    """The author's metadata, and ours, which it cannot take the place of."""
    kept = match.metadata
    text = str(kept.get("user_metadata", ""))
    given = json.loads(text) if text else {}
    ours = {
        "datasourceId": kept.get("datasource"),
        "datasourceLabel": kept.get("label"),
        "chunkIndex": kept.get("chunk"),
        "section": kept.get("section"),
    }
    author = given if isinstance(given, dict) else {"user_metadata": given}
    return {**author, **{key: value for key, value in ours.items() if value not in (None, "")}}
