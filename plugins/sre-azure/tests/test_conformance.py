"""The rules of every storage, run on this one and on a real server."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from pydantic import SecretStr

from sre_azure import AzureSettings, AzureStorage
from sre_core.testing.conformance.storage import StorageConformance
from sre_core.testing.servers import free_port

from .azurite import ACCOUNT, KEY, Azurite  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.integration


class TestAzure(StorageConformance):
    """With the key of the account, which signs links."""

    @pytest.fixture(autouse=True)
    def _server(self, azurite: Azurite, container: str) -> None:
        self._url, self._container = azurite.url, container

    def make(self) -> AzureStorage:
        return AzureStorage(
            AzureSettings(
                container=self._container,
                prefix="sre/tests",
                account=ACCOUNT,
                account_key=SecretStr(KEY),
                endpoint=self._url,
            )
        )

    def make_broken(self) -> AzureStorage:
        return AzureStorage(
            AzureSettings(
                container="any",
                account=ACCOUNT,
                account_key=SecretStr(KEY),
                endpoint=f"http://127.0.0.1:{free_port()}/{ACCOUNT}",
                retries=0,
            )
        )


class TestAzureWithSignature(StorageConformance):
    """With a signature for one container, without a prefix: nothing can be signed."""

    @pytest.fixture(autouse=True)
    def _server(self, azurite: Azurite, container: str) -> None:
        self._url, self._container = azurite.url, container
        self._signature = SecretStr(
            generate_container_sas(
                ACCOUNT,
                container,
                account_key=KEY,
                permission=ContainerSasPermissions(read=True, write=True, create=True, delete=True, list=True),
                expiry=datetime.now(UTC) + timedelta(hours=1),
            )
        )

    def make(self) -> AzureStorage:
        return AzureStorage(
            AzureSettings(container=self._container, account=ACCOUNT, sas_token=self._signature, endpoint=self._url)
        )

    def make_broken(self) -> AzureStorage:
        return AzureStorage(
            AzureSettings(container="other-container", account=ACCOUNT, sas_token=self._signature, endpoint=self._url)
        )
