"""Keys and metadata that come back from a real server as they were given, whatever characters they have."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sre_core.errors import NotFoundError

from .azurite import Azurite  # noqa: TID252 -- the folder of tests is no package
from .storages import started  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ODD = st.text("%?#+&=;:@$,!'()*[]{}|^`\"<> .~\u0301e\u00e9\U0001f600\u2028\ufeff\u00a0", min_size=1, max_size=12)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="/\\", exclude_categories=["Cc", "Cn"]), min_size=1)
keys = st.lists((ODD | ANY).filter(lambda part: part not in {".", ".."}), min_size=1, max_size=4).map("/".join)
words = st.sampled_from(["sre_expires", "sre_x61", "Mixed", "class", "xml", ""]) | st.text(st.characters(codec="utf-8"))
metadata = st.dictionaries(words, st.text(" %+\t\0") | st.text(st.characters(codec="utf-8")), max_size=3)


@pytest.fixture(scope="module")
def shared(azurite: Azurite) -> str:
    """One container for all examples, each of which leaves it empty."""
    return azurite.container()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=keys.filter(lambda key: len(key) < 900), told=metadata)
@example(key="a", told={"encrypted": "1", "Encrypted": "2", "_": "3"})
async def test_an_object_comes_back_under_its_key_with_its_metadata(
    azurite: Azurite, shared: str, key: str, told: dict[str, str]
) -> None:
    async with started(azurite.url, shared, prefix="p r/\u00e9.") as storage:
        try:
            written = await storage.write(key, key.encode(), metadata=told)
            assert await storage.read(key) == key.encode()
            assert await storage.stat(key) == written
            assert [info async for info in storage.list("")] == [written]
            assert written.metadata == told
        finally:
            await storage.delete(key)
        with pytest.raises(NotFoundError):
            await storage.stat(key)


@pytest.mark.parametrize("key", ["x" * 1024, "\u00e9" * 1024, "\U0001f600" * 512, "a/" * 253 + "a"])
async def test_the_longest_keys_are_stored(azurite: Azurite, container: str, key: str) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write(key, b"1")
        assert await storage.read(key) == b"1"
        assert [info.key async for info in storage.list("")] == [key]
