"""Servers that want credentials or TLS, and that refuse, in the words of Milvus."""

import datetime as dt
import ipaddress
import traceback
from collections import deque

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sre_core.connectors.vectors import VectorRecord
from sre_core.errors import (
    ConfigError,
    ConflictError,
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_milvus import MilvusSettings, MilvusVectors

from .misbehaving import engine, status  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOTES = "agent/a/notes"
TOKEN = "root:the-password-of-root-5519"


def connector_at(port: int, **settings) -> MilvusVectors:
    return MilvusVectors(MilvusSettings(**{"uri": f"http://127.0.0.1:{port}", "retries": 0, **settings}))


async def use(connector: MilvusVectors) -> None:
    await connector.start()
    try:
        await connector.create(NOTES, 2)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
        assert [match.id for match in await connector.query(NOTES, [1, 0], k=5)] == ["a"]
        await connector.drop(NOTES)
    finally:
        await connector.stop()


# Credentials


@pytest.mark.parametrize(
    "settings", [{"token": TOKEN}, {"user": "root", "password": "the-password-of-root-5519"}], ids=["token", "password"]
)
async def test_the_right_credentials_open_the_server(tmp_path, settings):
    with engine(tmp_path / "data", token=TOKEN) as (port, _):
        await use(connector_at(port, **settings))


@pytest.mark.parametrize(
    "settings",
    [{"token": "wrong-key-of-milvus-1234"}, {"user": "root", "password": "wrong-key-of-milvus-1234"}, {}],
    ids=["token", "password", "none"],
)
async def test_wrong_credentials_are_named_as_such_and_not_shown(tmp_path, settings):
    with engine(tmp_path / "data", token=TOKEN) as (port, _):
        connector = connector_at(port, **settings)
        with pytest.raises(UnauthenticatedError) as refused:
            await connector.start()
        await connector.stop()
    text = f"{refused.value!r} {refused.value.hint} {refused.value.__context__!r}"
    text += "".join(traceback.format_exception(refused.value))
    assert "wrong-key-of-milvus" not in text
    assert "d3Jvbmcta2V5" not in text  # as base64


async def test_credentials_that_expire_while_it_runs_are_named_as_such(tmp_path):
    with engine(tmp_path / "data", token=TOKEN) as (port, door):
        connector = connector_at(port, token=TOKEN)
        await connector.start()
        await connector.create(NOTES, 2)
        door.wanted = "another"
        with pytest.raises(UnauthenticatedError):
            await connector.query(NOTES, [1, 0], k=1)
        await connector.stop()


# TLS


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that only `ca_file` makes trusted: the file, and what a server needs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "milvus.test")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("milvus.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "ca.pem"
    file.write_bytes(pem)
    return file, grpc.ssl_server_credentials([(secret, pem)])


async def test_a_server_with_tls_is_used_when_its_authority_is_trusted(tmp_path, certificate):
    file, credentials = certificate
    with engine(tmp_path / "data", token=TOKEN, credentials=credentials) as (port, _):
        await use(connector_at(port, uri=f"https://127.0.0.1:{port}", ca_file=file, token=TOKEN))
        named = {"uri": f"https://localhost:{port}", "ca_file": file, "server_name": "milvus.test"}
        await use(connector_at(port, **named, token=TOKEN))


async def test_a_server_that_nobody_vouches_for_is_refused(tmp_path, certificate):
    _, credentials = certificate
    with engine(tmp_path / "data", credentials=credentials) as (port, _):
        connector = connector_at(port, uri=f"https://127.0.0.1:{port}")
        with pytest.raises(ConnectorError, match="TLS") as refused:
            await connector.start()
        assert not refused.value.retryable
        assert "ca_file" in str(refused.value.hint)
        await connector.stop()


async def test_plain_text_and_tls_do_not_understand_each_other(tmp_path, certificate):
    file, credentials = certificate
    with engine(tmp_path / "data") as (port, _):
        connector = connector_at(port, uri=f"https://127.0.0.1:{port}", ca_file=file)
        with pytest.raises(ConnectorError):
            await connector.start()
        await connector.stop()
    with engine(tmp_path / "data", credentials=credentials) as (port, _):
        connector = connector_at(port)
        with pytest.raises(UnavailableError):
            await connector.start()
        await connector.stop()


async def test_a_certificate_that_cannot_be_read_is_a_wrong_setting(tmp_path):
    connector = connector_at(1, uri="https://127.0.0.1:1", ca_file=tmp_path / "missing.pem")
    with pytest.raises(ConfigError, match=r"missing\.pem"):
        await connector.start()
    await connector.stop()


# What a server says no with


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (status(8, "rate limit exceeded[rate=10]"), RateLimitedError),
        (status(9, "quota exceeded[reason=memory]"), RateLimitedError),
        (status(1, "service not ready[standalone=1]: Initializing", retriable=True), UnavailableError),
        (status(2, "service unavailable", retriable=True), UnavailableError),
        (status(100, "collection not found[collection=x]"), NotFoundError),
        (status(800, "database not found[database=x]"), ConfigError),
        (status(1100, "invalid parameter: topk is too large"), ConfigError),
        (status(1400, "auth check failure"), UnauthenticatedError),
        (status(1401, "privilege not authenticated"), UnauthenticatedError),
        (status(65535, "something broke"), ConnectorError),
        (status(5, "internal error"), ConnectorError),
    ],
    ids=lambda value: str(getattr(value, "code", "")) or value.__name__,
)
async def test_each_refusal_has_its_error(tmp_path, refusal, expected):
    with engine(tmp_path / "data") as (port, door):
        connector = connector_at(port)
        await connector.start()
        await connector.create(NOTES, 2)
        door.instead["Search"] = deque([refusal])
        with pytest.raises(ConnectorError if issubclass(expected, ConnectorError) else ConfigError) as raised:
            await connector.query(NOTES, [1, 0], k=1)
        assert isinstance(raised.value, expected)
        if expected is ConnectorError:
            assert not raised.value.retryable
        assert await connector.query(NOTES, [1, 0], k=1) == []
        await connector.stop()


async def test_a_busy_server_is_asked_again(tmp_path):
    with engine(tmp_path / "data") as (port, door):
        connector = connector_at(port, retries=2, retry_wait=0)
        await connector.start()
        await connector.create(NOTES, 2)
        busy = [status(8, "rate limit exceeded"), status(1, "service not ready", retriable=True)]
        door.instead["Upsert"] = deque(busy)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
        assert len(await connector.query(NOTES, [1, 0], k=1)) == 1
        door.instead["Upsert"] = deque([*busy, busy[0]])
        with pytest.raises(RateLimitedError):
            await connector.upsert(NOTES, [VectorRecord(id="b", vector=[1, 0])])
        await connector.stop()


async def test_an_index_that_is_refused_leaves_no_collection_behind(tmp_path):
    with engine(tmp_path / "data") as (port, door):
        connector = connector_at(port)
        await connector.start()
        door.instead["CreateIndex"] = deque([status(1100, "invalid parameter: unknown index type")])
        with pytest.raises(ConfigError, match="unknown index type"):
            await connector.create(NOTES, 2)
        assert await connector.collections("") == []
        await connector.create(NOTES, 2)
        await connector.stop()


async def test_a_collection_whose_index_is_not_made_for_now_stays_and_is_indexed_when_it_is_used(tmp_path):
    """Somebody else may have begun to write to it."""
    with engine(tmp_path / "data") as (port, door):
        connector = connector_at(port)
        await connector.start()
        door.instead["CreateIndex"] = deque([status(1, "service not ready", retriable=True)])
        with pytest.raises(UnavailableError):
            await connector.create(NOTES, 2)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
        assert [match.id for match in await connector.query(NOTES, [1, 0], k=5)] == ["a"]
        await connector.stop()


async def test_a_server_that_takes_a_collection_twice_is_not_believed(tmp_path):
    """A server accepts the same request again without complaint; what a second one asks for is never the same."""
    from sre_core.connectors.vectors import Metric
    from sre_milvus.requests import create_collection

    one, two = (
        create_collection("x", 2, Metric.L2, shared=False, description=text, properties={}) for text in ("a 1", "a 2")
    )
    assert one.schema != two.schema
    with engine(tmp_path / "data") as (port, _):
        connector = connector_at(port)
        await connector.start()
        await connector.create(NOTES, 2)
        with pytest.raises(ConflictError):
            await connector.create(NOTES, 2)
        await connector.stop()


async def test_a_collection_that_somebody_released_is_loaded_again(tmp_path):
    from pymilvus.grpc_gen import milvus_pb2

    from sre_milvus.names import milvus_name

    with engine(tmp_path / "data") as (port, door):
        connector = connector_at(port)
        await connector.start()
        await connector.create(NOTES, 2)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
        released = milvus_pb2.ReleaseCollectionRequest(collection_name=milvus_name("sre", NOTES))
        await connector._session.client.call("ReleaseCollection", released)
        assert [match.id for match in await connector.query(NOTES, [1, 0], k=5)] == ["a"]
        door.calls.clear()
        await connector.query(NOTES, [1, 0], k=5)
        assert door.calls == ["Search"]
        await connector.stop()
