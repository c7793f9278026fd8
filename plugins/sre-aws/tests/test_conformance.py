"""The rules of every storage and of every vault, run on S3 and Secrets Manager as moto plays them."""

import pytest
from pydantic import SecretStr

from sre_aws import S3Storage, SecretsManagerSettings, SecretsManagerVault
from sre_core.testing.conformance.storage import StorageConformance
from sre_core.testing.conformance.vault import VaultConformance
from sre_core.testing.servers import free_port

from .aws_server import Moto, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.integration


class TestS3(StorageConformance):
    @pytest.fixture(autouse=True)
    def _server(self, moto: Moto) -> None:
        self.moto = moto

    def make(self) -> S3Storage:
        return self.moto.s3(prefix="kit", session_token=SecretStr("session-token-of-the-tests"))

    def make_broken(self) -> S3Storage:
        return s3(f"http://127.0.0.1:{free_port()}", retries=0)


class TestS3WithoutPrefix(StorageConformance):
    """In a whole bucket, where our notes lie among the objects."""

    # The other class lists more than one page.
    many = 50

    @pytest.fixture(autouse=True)
    def _server(self, moto: Moto) -> None:
        self.moto = moto

    def make(self) -> S3Storage:
        return self.moto.s3()


class TestSecretsManager(VaultConformance):
    @pytest.fixture(autouse=True)
    def _server(self, moto: Moto) -> None:
        self.moto = moto

    def make(self) -> SecretsManagerVault:
        return self.moto.vault(session_token=SecretStr("session-token-of-the-tests"))

    def make_broken(self) -> SecretsManagerVault:
        return SecretsManagerVault(SecretsManagerSettings(profile="no-such-profile"))
