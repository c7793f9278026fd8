"""Settings: which address is meant, and what does not go together."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sre_milvus import MilvusSettings


@pytest.mark.parametrize(
    ("uri", "address", "tls"),
    [
        ("http://localhost:19530", "localhost:19530", False),
        ("http://localhost", "localhost:19530", False),
        (
            "https://in03-abc.serverless.gcp-us-west1.cloud.zilliz.com",
            "in03-abc.serverless.gcp-us-west1.cloud.zilliz.com:443",
            True,
        ),
        ("https://milvus.test:19531/", "milvus.test:19531", True),
        ("http://[::1]:19530", "[::1]:19530", False),
    ],
)
def test_a_url_is_a_server(uri, address, tls):
    settings = MilvusSettings(uri=uri)
    assert (settings.file, settings.address, settings.tls) == (None, address, tls)
    assert settings.index_type == "AUTOINDEX"
    assert uri.rstrip("/") in settings.place


@pytest.mark.parametrize("uri", ["milvus.db", ".sre/milvus", "/var/lib/vectors", Path("x")])
def test_everything_else_is_a_file(uri):
    settings = MilvusSettings(uri=uri)
    assert settings.file == Path(uri)
    assert not settings.tls
    assert settings.index_type == "FLAT"


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "http://root:the-secret-8264@localhost:19530"},
        {"uri": "http://localhost:19530/database"},
        {"uri": "http://localhost:port"},
        {"uri": "ftp://localhost"},
        {"uri": "http://"},
        {"uri": " "},
        {"token": "the-secret-8264", "user": "root", "password": "x"},
        {"user": "root"},
        {"password": "the-secret-8264"},
        {"cert_file": "cert.pem"},
        {"ca_file": "ca.pem"},
        {"server_name": "x"},
        {"prefix": "with_underscore"},
        {"prefix": ""},
        {"index": "hnsw"},
        {"layout": "tables"},
        {"database": "no such name"},
        {"database": "ü"},
        {"database": "line\n"},
        {"timeout": 0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_does_not_go_together_is_refused_and_no_secret_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        MilvusSettings(**{"uri": "http://localhost:19530", **wrong})
    assert "the-secret-8264" not in str(refused.value)


def test_settings_show_no_secret():
    settings = MilvusSettings(uri="http://localhost:19530", token="the-secret-8264")
    assert "the-secret-8264" not in f"{settings!r} {settings} {settings.model_dump()}"
