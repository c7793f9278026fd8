"""Metadata to and from headers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_aws.s3.metadata import headers_again, headers_for, read_head
from sre_core.errors import ConfigError, ConnectorError

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
_MODIFIED = datetime(2009, 10, 12, 17, 50, tzinfo=UTC)


def reply(described: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What S3 tells of an object that was uploaded with `described`."""
    return {"ETag": '"tag"', "LastModified": _MODIFIED, "ContentLength": 3} | described | more


@given(st.dictionaries(_TEXT, _TEXT, max_size=4))
def test_metadata_come_back_whatever_they_hold(metadata: dict[str, str]) -> None:
    head = read_head("a", reply(headers_for("text/plain", metadata, "v1")))
    assert head.info.metadata == metadata
    assert (head.info.version, head.etag, head.info.expires) == ("v1", "tag", None)


@given(st.dictionaries(_TEXT, _TEXT, max_size=4))
def test_headers_hold_nothing_that_a_server_would_change(metadata: dict[str, str]) -> None:
    for name, value in headers_for("text/plain", metadata, "v1")["Metadata"].items():
        assert name == name.lower()
        assert value.isascii()
        assert value.isprintable()
        assert value == " ".join(value.split())
        assert "=?" not in value
        assert value


def test_plain_metadata_are_there_for_other_tools() -> None:
    stored = headers_for("text/plain", {"author": "Ada L.", "Topic": "x", "note": "\u00e9"}, "v1")["Metadata"]
    assert stored == {"author": "Ada L.", "sre-metadata": '{"Topic":"x","note":"\\u00e9"}', "sre-version": "v1"}


def test_metadata_named_like_ours_do_not_take_their_place() -> None:
    mine = {"sre-version": "9", "sre-expires": "1.0", "sre-metadata": "{}"}
    head = read_head("a", reply(headers_for("text/plain", mine, "v1")))
    assert (head.info.version, head.info.expires, head.info.metadata) == ("v1", None, mine)


def test_metadata_of_others_come_as_they_are() -> None:
    head = read_head("a", reply({"ContentType": "text/csv", "Metadata": {"source": "=?UTF-8?Q?=C3=A9?="}}))
    assert head.info.metadata == {"source": "=?UTF-8?Q?=C3=A9?="}
    assert (head.info.version, head.info.content_type) == ("tag", "text/csv")


@pytest.mark.parametrize("broken", ["", "no json", "[1]", "%ff"])
def test_entries_of_ours_that_somebody_broke_count_as_none(broken: str) -> None:
    head = read_head("a", reply({"Metadata": {"sre-metadata": broken, "sre-expires": broken, "a": "1"}}))
    assert (head.info.metadata, head.info.expires) == ({"a": "1"}, None)


def test_metadata_that_are_too_large_are_refused_with_the_limit() -> None:
    headers_for("text/plain", {"a": "x" * 1900}, "v1")
    with pytest.raises(ConfigError, match="1984 bytes"):
        headers_for("text/plain", {"a": "x" * 2000}, "v1")


@pytest.mark.parametrize(
    "content_type", ["text/plain\r\nX-Evil: 1", "text/\u00e9", "", " ", " text/plain", "text/plain "]
)
def test_a_content_type_that_is_no_header_is_refused(content_type: str) -> None:
    with pytest.raises(ConfigError, match="content type"):
        headers_for(content_type, None, "v1")


def test_a_copy_has_everything_but_another_time_of_expiry() -> None:
    described = headers_for("text/csv", {"a": "1", "B": "2"}, "v1") | {"CacheControl": "no-cache"}
    head = read_head("a", reply(described))
    expiring = read_head("a", reply(headers_again(head, 1234.5)))
    assert (expiring.info.expires, expiring.info.version, expiring.info.content_type) == (1234.5, "v1", "text/csv")
    assert (dict(expiring.info.metadata), expiring.kept) == ({"a": "1", "B": "2"}, {"CacheControl": "no-cache"})
    assert expiring.expired(1234.5)
    assert not expiring.expired(1234.4)
    assert headers_again(expiring, None) == described


@pytest.mark.parametrize(("encryption", "kept"), [("aws:kms", True), ("aws:kms:dsse", True), ("AES256", False)])
def test_a_copy_is_encrypted_with_the_same_key(encryption: str, kept: bool) -> None:
    encrypted = {"ServerSideEncryption": encryption, "SSEKMSKeyId": "arn:aws:kms:k", "StorageClass": "STANDARD_IA"}
    described = headers_again(read_head("a", reply({"ContentType": "text/csv"}, **encrypted)), 1.0)
    assert described["StorageClass"] == "STANDARD_IA"
    assert (described.get("SSEKMSKeyId") == "arn:aws:kms:k") == kept
    assert ("ServerSideEncryption" in described) == kept


def test_a_copy_of_an_object_of_others_keeps_its_tag_as_its_version() -> None:
    head = read_head("a", reply({"ContentType": "text/csv"}))
    assert read_head("a", reply(headers_again(head, 1.0), ETag='"other"')).info.version == "tag"


@pytest.mark.parametrize("strange", [{}, {"ETag": '"tag"'}, {"ETag": None, "LastModified": _MODIFIED}])
def test_a_reply_without_what_s3_always_tells_is_none_of_s3(strange: dict[str, Any]) -> None:
    with pytest.raises(ConnectorError, match="not of S3"):
        read_head("a", strange)
