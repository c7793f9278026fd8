"""Each rule of language models about files, images, embeddings and counts, and one that breaks it."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors import GeneratedImages
from tests.unit.sre_core.testing.conformance.llm_twins import Bare, Gifted, broken_rules


class PassesOver(EchoLLM):
    """Takes files of one kind and does not look at them."""

    kind = ""

    async def stream(self, request):
        said = tuple(
            replace(message, files=tuple(file for file in message.files if not file.media_type.startswith(self.kind)))
            for message in request.messages
        )
        async with aclosing(super().stream(replace(request, messages=said))) as chunks:
            async for chunk in chunks:
                yield chunk


class PassesOverImages(PassesOver):
    kind = "image/"


class PassesOverAudio(PassesOver):
    kind = "audio/"


class EmbedsInAnotherOrder(EchoLLM):
    async def embed(self, texts, *, model=None):
        return (await super().embed(texts, model=model))[::-1]


class EmbedsInManyLengths(EchoLLM):
    async def embed(self, texts, *, model=None):
        found = await super().embed(texts, model=model)
        return [vector + [0.0] * len(text) for vector, text in zip(found, texts, strict=True)]


class CountsAllTextsTogether(EchoLLM):
    async def count_tokens(self, texts, *, model=None):
        return [sum(await super().count_tokens(texts, model=model))]


class EmbedsUndeclared(Bare):
    async def embed(self, texts, *, model=None):
        return [[1.0] for _ in texts]


class CountsUndeclared(Bare):
    async def count_tokens(self, texts, *, model=None):
        return [1 for _ in texts]


class PassesOverDocuments(PassesOver):
    kind = "application/"


class PassesOverVideo(PassesOver):
    kind = "video/"


class MakesNoImages(Gifted):
    async def generate_images(self, request):
        return GeneratedImages(images=())


class MakesImagesUndeclared(Bare):
    async def generate_images(self, request):
        return GeneratedImages(images=())


TWINS = [
    (PassesOverImages, "test_images_are_seen_or_refused"),
    (PassesOverAudio, "test_audio_is_heard_or_refused"),
    (EmbedsInAnotherOrder, "test_embeddings_have_one_length_and_the_order_of_their_texts"),
    (EmbedsInManyLengths, "test_embeddings_have_one_length_and_the_order_of_their_texts"),
    (EmbedsUndeclared, "test_embeddings_have_one_length_and_the_order_of_their_texts"),
    (CountsAllTextsTogether, "test_tokens_are_counted_text_by_text"),
    (CountsUndeclared, "test_tokens_are_counted_text_by_text"),
    (PassesOverDocuments, "test_documents_are_read_or_refused"),
    (PassesOverVideo, "test_video_is_seen_or_refused"),
    (MakesNoImages, "test_images_are_made_or_refused"),
    (MakesImagesUndeclared, "test_images_are_made_or_refused"),
]


@pytest.mark.parametrize(("kind", "rule"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_model_breaks_exactly_its_rule(kind, rule):
    assert broken_rules(kind) == {rule}
