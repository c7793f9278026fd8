"""Whom to trust over TLS."""

import ssl
from pathlib import Path

import pytest

from sre_core.connectors.trust import trusting
from sre_core.errors import ConfigError
from sre_core.testing.certificates import Authority


def test_without_a_file_it_is_the_authorities_of_the_system():
    assert trusting(None) is True


def test_the_authorities_of_a_file_are_trusted_too(tmp_path: Path):
    context = trusting(Authority(tmp_path).ca_file)
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("name", ["missing.pem", "text.pem"])
def test_a_file_without_certificates_is_named(tmp_path: Path, name: str):
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=name) as raised:
        trusting(tmp_path / name)
    assert "PEM" in str(raised.value.hint)
