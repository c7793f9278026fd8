"""The rules of every storage, run on this one and on a real server."""

import pytest
from pydantic import SecretStr

from sre_core.testing.conformance.storage import StorageConformance
from sre_core.testing.servers import free_port
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import Gcs  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.integration


class TestGcs(StorageConformance):
    """As an account with a key, which signs links."""

    @pytest.fixture(autouse=True)
    def _server(self, gcs: Gcs, key: str) -> None:
        self._gcs = gcs
        self._key = SecretStr(key)
        self._bucket = gcs.bucket()

    def make(self) -> GcsStorage:
        return GcsStorage(GcsSettings(bucket=self._bucket, prefix="sre/tests", key=self._key, endpoint=self._gcs.url))

    def make_broken(self) -> GcsStorage:
        return GcsStorage(
            GcsSettings(bucket="any", key=self._key, endpoint=f"http://127.0.0.1:{free_port()}", retries=0)
        )


class TestGcsWithoutCredentials(StorageConformance):
    """As anybody, in a bucket without a prefix: nothing can be signed."""

    @pytest.fixture(autouse=True)
    def _server(self, gcs: Gcs) -> None:
        self._gcs = gcs
        self._bucket = gcs.bucket()

    def make(self) -> GcsStorage:
        return GcsStorage(GcsSettings(bucket=self._bucket, anonymous=True, endpoint=self._gcs.url))

    def make_broken(self) -> GcsStorage:
        return GcsStorage(GcsSettings(bucket="missing-bucket", anonymous=True, endpoint=self._gcs.url))
