"""The kit on the echo model, and what its twins are made of."""

from contextlib import aclosing
from dataclasses import replace

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors import GeneratedImages, LLMChunk, Settings
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from sre_core.testing.conformance.llm import LLMConformance
from sre_core.testing.conformance.llm_cases import picture
from tests.unit.sre_core.testing.conformance.twins import failing


class Kit(LLMConformance):
    patience = 5.0

    def make(self):
        return EchoLLM(Settings())

    def fits(self, prompt, answer):
        return answer == prompt


# These have twins of their own, and would run again for each of ours.
for _name in vars(LifecycleConformance):
    if _name.startswith("test_"):
        setattr(Kit, _name, None)

RULES = {name for name in dir(Kit) if name.startswith("test_") and getattr(Kit, name) is not None}


def broken_rules(kind):
    return failing(Kit, lambda: kind(Settings()))


class Bare(EchoLLM):
    """Has no optional capability."""

    capabilities = frozenset()

    async def embed(self, texts, *, model=None):
        raise self.unsupported("embed")

    async def count_tokens(self, texts, *, model=None):
        raise self.unsupported("count-tokens")


class Gifted(EchoLLM):
    """Has every capability, though it only says so of files."""

    capabilities = EchoLLM.capabilities | {"audio", "documents", "image-generation", "images", "reasoning", "video"}

    async def stream(self, request):
        self.check(request)
        if request.thinking:
            yield LLMChunk(thinking="Let me see.")
        said = tuple(replace(message, files=()) for message in request.messages)
        async with aclosing(super().stream(replace(request, messages=said))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def generate_images(self, request):
        return GeneratedImages(images=(picture(),))


class Changed(EchoLLM):
    """Changes a request before, or the chunks after; the twins say how."""

    def before(self, request):
        return request

    def after(self, request, chunks):
        return chunks

    async def stream(self, request):
        async with aclosing(super().stream(self.before(request))) as source:
            chunks = [chunk async for chunk in source]
        for chunk in self.after(request, chunks):
            yield chunk
