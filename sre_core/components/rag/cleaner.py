"""DataSourceCleaner: forget a data source."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.components.rag.data_sources import MAX_NAMESPACE, DataSources
from sre_core.components.template import expand

__all__ = ["DataSourceCleaner", "DataSourceCleanerSettings"]


class DataSourceCleanerSettings(ComponentSettings):
    """What is forgotten."""

    namespace_id: str = Field(
        default="", max_length=MAX_NAMESPACE, description="the namespace; may hold placeholders, as in {{Topic}}"
    )
    id: str = Field(
        default="", max_length=1000, description="the data source's id, short or whole; may hold placeholders"
    )


class DataSourceCleaner(Component):
    """Forgets a data source, with all its chunks.

    `Success` is true, also when there was none of that id.
    """

    name = "DataSourceCleaner"
    settings_type = DataSourceCleanerSettings
    settings: DataSourceCleanerSettings
    outputs = (OutputPort(name="Success", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Forget."""
        namespace = await expand(self.settings.namespace_id, inputs, context, node=self.node)
        sources = DataSources(namespace, context)
        await sources.remove(sources.full_id(await expand(self.settings.id, inputs, context, node=self.node)))
        return {"Success": True}

    def check(self) -> Iterator[Flaw]:
        """No namespace or no id."""
        if not self.settings.namespace_id.strip():
            yield Flaw("the setting 'namespaceId' is empty", "namespaceId")
        if not self.settings.id.strip():
            yield Flaw("the setting 'id', of the data source, is empty", "id")
