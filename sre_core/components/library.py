"""The component types that every installation has, found by name and imported when a workflow has a node of them.

They are no part of the built-in plugin, whose things are all loaded when a runtime boots: most runs of an agent need
none of these.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sre_core.components.base import Component

__all__ = ["LIBRARY", "builtin_component", "builtin_components"]

LIBRARY: Mapping[str, str] = {
    "APICall": "web.api_call:APICall",
    "APIEndpoint": "flow.api_endpoint:APIEndpoint",
    "APIOutput": "flow.api_output:APIOutput",
    "AgentPlugin": "agents.agent_plugin:AgentPlugin",
    "Async": "flow.async_job:Async",
    "Await": "flow.await_job:Await",
    "Classifier": "llm.classifier:Classifier",
    "Component": "flow.note:Note",
    "ComponentHost": "flow.component_host:ComponentHost",
    "DataSourceCleaner": "rag.cleaner:DataSourceCleaner",
    "DataSourceIndexer": "rag.indexer:DataSourceIndexer",
    "DataSourceLookup": "rag.lookup:DataSourceLookup",
    "FEncDec": "functions.encoding:FEncDec",
    "FHash": "functions.hash:FHash",
    "FSign": "functions.sign:FSign",
    "FSleep": "functions.sleep:FSleep",
    "FTimestamp": "functions.timestamp:FTimestamp",
    "FileStore": "memory.file_store:FileStore",
    "ForEach": "flow.for_each:ForEach",
    "GPTPlugin": "agents.open_api:OpenAPI",
    "GenAILLM": "llm.gen_ai_llm:GenAILLM",
    "GmailTrigger": "triggers.gmail:GmailTrigger",
    "HuggingFace": "llm.hugging_face:HuggingFace",
    "ImageGenerator": "llm.image_generator:ImageGenerator",
    "JSONFilter": "functions.json_filter:JSONFilter",
    "JobSchedulerTrigger": "triggers.job_scheduler:JobSchedulerTrigger",
    "LLMAssistant": "llm.llm_assistant:LLMAssistant",
    "LLMPrompt": "llm.prompt_generator:PromptGenerator",
    "LogicAND": "logic.logic_and:LogicAND",
    "LogicAtLeast": "logic.logic_at_least:LogicAtLeast",
    "LogicAtMost": "logic.logic_at_most:LogicAtMost",
    "LogicOR": "logic.logic_or:LogicOR",
    "LogicXOR": "logic.logic_xor:LogicXOR",
    "MemoryDeleteKeyVal": "memory.delete_key_val:MemoryDeleteKeyVal",
    "MemoryReadKeyVal": "memory.read_key_val:MemoryReadKeyVal",
    "MemoryWriteKeyVal": "memory.write_key_val:MemoryWriteKeyVal",
    "MemoryWriteObject": "memory.write_object:MemoryWriteObject",
    "MultimodalLLM": "llm.multimodal_llm:MultimodalLLM",
    "Note": "flow.note:Note",
    "OpenAPI": "agents.open_api:OpenAPI",
    "PromptGenerator": "llm.prompt_generator:PromptGenerator",
    "ScrapflyWebScrape": "web.scrapfly:ScrapflyWebScrape",
    "TavilyWebSearch": "web.tavily:TavilyWebSearch",
    "VisionLLM": "llm.vision_llm:VisionLLM",
    "WebScrape": "web.scrapfly:ScrapflyWebScrape",
    "WebSearch": "web.tavily:TavilyWebSearch",
    "WebhookTrigger": "triggers.webhook:WebhookTrigger",
    "WhatsAppTrigger": "triggers.whatsapp:WhatsAppTrigger",
    "ZapierAction": "web.zapier:ZapierAction",
}
"""The module and the class of each type, by all of its names."""


@cache
def builtin_component(name: str) -> "type[Component] | None":
    """The component type of that name or alias, or None."""
    place = LIBRARY.get(name)
    if place is None:
        return None
    module, _, cls = place.rpartition(":")
    found: type[Component] = getattr(import_module(f"sre_core.components.{module}"), cls)
    return found


def builtin_components() -> "Iterator[type[Component]]":
    """Each type once, in order of name."""
    for name in sorted(LIBRARY):
        found = builtin_component(name)
        if found is not None and found.name == name:
            yield found
