"""TLS to a real server."""

import pytest
from pydantic import SecretStr

from sre_core.errors import ConfigError, ConnectorError
from sre_core.testing.certificates import Authority

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_server_whose_authority_we_trust_is_used(shared_tls_bao, started):
    connector = await started(shared_tls_bao.vault())
    await connector.set("one", SecretStr("secret"))
    assert (await connector.get("one")).get_secret_value() == "secret"
    await connector.ping()


async def test_a_server_whose_authority_we_do_not_trust_is_refused(shared_tls_bao, started, tmp_path):
    other = Authority(tmp_path)
    for ca_file in (None, other.ca_file):
        with pytest.raises(ConnectorError, match="no TLS connection") as raised:
            await started(shared_tls_bao.vault(ca_file=ca_file, retries=3))
        assert not raised.value.retryable
        assert "ca_file" in raised.value.hint


async def test_a_test_may_leave_the_certificate_unchecked(shared_tls_bao, started):
    connector = await started(shared_tls_bao.vault(ca_file=None, verify=False))
    await connector.ping()


async def test_a_server_without_tls_is_named_as_one(shared_bao, started):
    with pytest.raises(ConnectorError, match="no TLS connection"):
        await started(shared_bao.vault(url=shared_bao.url.replace("http:", "https:")))


async def test_files_that_are_no_certificates_are_wrong_settings(shared_tls_bao, started, tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    for changes in ({"ca_file": tmp_path / "missing.pem"}, {"cert_file": tmp_path / "empty.pem"}):
        with pytest.raises(ConfigError, match="TLS files"):
            await started(shared_tls_bao.vault(**changes))
