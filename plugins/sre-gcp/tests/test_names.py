"""Keys and metadata that come back from a real server as they were given, whatever characters they have."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sre_core.errors import NotFoundError
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import Gcs  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ODD = st.text(
    "%?#+&=;:@$,!'()*[]{}|\\^`\"<> .~\u0301e\u00e9\U0001f600\uffff\x01\x7f\x85\u2028\t", min_size=1, max_size=12
)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="/\0\r\n"), min_size=1, max_size=30)
keys = st.lists((ODD | ANY).filter(lambda part: part not in {".", ".."}), min_size=1, max_size=4).map("/".join)
words = st.sampled_from(["sre-expires", "sre-user-a", "Mixed", ""]) | st.text(st.characters(codec="utf-8"), max_size=20)
# Not with control characters, since the emulator sends them as headers too.
values = st.text("% ") | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
metadata = st.dictionaries(words, values, max_size=3)


@pytest.fixture(scope="module")
def shared(gcs: Gcs) -> str:
    """One bucket for all examples, each of which leaves it empty."""
    return gcs.bucket()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=keys, told=metadata)
async def test_an_object_comes_back_under_its_key_with_its_metadata(
    gcs: Gcs, shared: str, key: str, told: dict[str, str]
) -> None:
    storage = GcsStorage(GcsSettings(bucket=shared, prefix="p r/\u00e9", endpoint=gcs.url, anonymous=True))
    await storage.start()
    try:
        written = await storage.write(key, key.encode(), metadata=told)
        assert await storage.read(key) == key.encode()
        assert await storage.stat(key) == written
        assert [info async for info in storage.list("")] == [written]
        assert written.metadata == told
        await storage.delete(key)
        with pytest.raises(NotFoundError):
            await storage.stat(key)
    finally:
        await storage.delete(key)
        await storage.stop()


@pytest.mark.parametrize("key", ["x" * 1024, "\u00e9" * 512, "\U0001f600" * 256, "a/" * 511 + "ab"])
async def test_the_longest_keys_are_stored(gcs: Gcs, key: str) -> None:
    storage = GcsStorage(GcsSettings(bucket=gcs.bucket(), endpoint=gcs.url, anonymous=True))
    await storage.start()
    try:
        await storage.write(key, b"1")
        assert await storage.read(key) == b"1"
        assert [info.key async for info in storage.list("")] == [key]
    finally:
        await storage.stop()
