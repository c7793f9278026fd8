"""The rules of every vault, on both versions of KV and in a namespace; and the faults of HTTP."""

from typing import Any, ClassVar

import pytest

from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.vault import VaultConformance
from sre_core.testing.replay import HttpReply
from sre_hashicorp import HashicorpSettings, HashicorpVault

from .bao_servers import Bao  # noqa: TID252

pytestmark = pytest.mark.integration


class _OnBao(VaultConformance):
    changes: ClassVar[dict[str, Any]]

    @pytest.fixture(autouse=True)
    def _server(self, shared_bao: Bao) -> None:
        self.bao = shared_bao

    def make(self) -> HashicorpVault:
        return self.bao.vault(**self.changes)

    def make_broken(self) -> HashicorpVault:
        return self.bao.vault(**self.changes, token="s.a-token-that-nobody-made")


class TestVersion1(_OnBao):
    changes: ClassVar[dict[str, Any]] = {"mount": "kv1", "prefix": "kit", "pool_size": 20}


class TestVersion2(_OnBao):
    changes: ClassVar[dict[str, Any]] = {"mount": "secret", "prefix": "kit/deeper"}


class TestAppRole(VaultConformance):
    @pytest.fixture(autouse=True)
    def _server(self, shared_bao: Bao) -> None:
        self.bao = shared_bao
        self.role = shared_bao.role("kit", token_ttl="1h")

    def make(self) -> HashicorpVault:
        return self.bao.vault(prefix="kit-approle", kv_version=2, **self.role)

    def make_broken(self) -> HashicorpVault:
        return self.bao.vault(**{**self.role, "secret_id": "a-secret-id-that-nobody-made"})


class TestFaults(HttpFaultConformance):
    def make_at(self, url: str) -> HashicorpVault:
        return HashicorpVault(HashicorpSettings(url=url, token=self.secret, kv_version=2, retries=0))

    async def call(self, connector: HashicorpVault) -> None:
        secret = await connector.get("name")
        assert secret.get_secret_value() == "value-of-the-secret"

    def good(self) -> HttpReply:
        metadata = {"created_time": "2018-03-22T02:24:06.945319214Z", "deletion_time": "", "destroyed": False}
        data = {"data": {"value": "value-of-the-secret"}, "metadata": {**metadata, "version": 2}}
        return HttpReply.json({"request_id": "1", "lease_duration": 0, "renewable": False, "data": data})
