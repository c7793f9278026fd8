"""LocalStorage keeps the rules of a storage, and those of a folder on a shared machine."""

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.testing.conformance.storage import StorageConformance


class TestLocalStorage(StorageConformance):
    def make(self):
        return LocalStorage(LocalSettings(folder=self.folder / "storage"))

    def make_broken(self):
        in_the_way = self.folder / "file"
        in_the_way.write_text("not a folder")
        return LocalStorage(LocalSettings(folder=in_the_way / "storage"))
