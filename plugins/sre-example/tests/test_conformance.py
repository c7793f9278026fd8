"""The rules of every cache, run on this one."""

from sre_core.testing.conformance.cache import CacheConformance
from sre_example import JsonCache, JsonCacheSettings


class TestJsonCache(CacheConformance):
    def make(self) -> JsonCache:
        return JsonCache(JsonCacheSettings(file=self.folder / "cache.json"))

    def make_broken(self) -> JsonCache:
        return JsonCache(JsonCacheSettings(file=self.folder))
