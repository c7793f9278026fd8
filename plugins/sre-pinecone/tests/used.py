"""A connector to the fake server, and what the tests ask of it."""

from sre_pinecone import PineconeSettings, PineconeVectors

from .fake_pinecone import KEY, FakePinecone  # noqa: TID252 -- the folder of tests is no package

NOTES = "agent/a/notes"


def connector_at(fake: FakePinecone, **settings) -> PineconeVectors:
    return PineconeVectors(PineconeSettings(**{"key": KEY, "url": fake.url, "retries": 0, **settings}))


async def ids(connector: PineconeVectors, **query) -> list[str]:
    return [match.id for match in await connector.query(NOTES, [1, 0], **{"k": 1000, **query})]


async def count(connector: PineconeVectors) -> int:
    (info,) = await connector.collections(NOTES)
    return info.count


def paths(fake: FakePinecone) -> list[str]:
    return [path for _, path in fake.requests]
