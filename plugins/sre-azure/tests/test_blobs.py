"""Metadata and properties of blobs from ours to Azure's and back."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob import BlobProperties, ContentSettings
from hypothesis import given
from hypothesis import strategies as st

from sre_azure.blobs import etag_of, expiry_metadata, stored, version_of
from sre_azure.metadata import packed, unpacked
from sre_core.errors import ConnectorError

TEXT = st.text(st.characters(codec="utf-8"))


def properties(metadata: Mapping[str, str], **other: Any) -> BlobProperties:
    """As the page "Get Blob Properties" of the REST API has them, read by the library."""
    found = BlobProperties()
    found.name = "a"
    found.size = 11
    found.etag = '"0x8DBA54C2F5F3A60"'
    found.last_modified = datetime(2025, 8, 25, 9, 0, tzinfo=UTC)
    found.content_settings = ContentSettings(content_type="text/csv")
    found.metadata = dict(metadata)
    for name, value in other.items():
        setattr(found, name, value)
    return found


@given(st.dictionaries(TEXT, TEXT))
def test_metadata_come_back_whatever_they_are(metadata: dict[str, str]) -> None:
    kept = packed(metadata)
    assert unpacked(kept) == metadata
    # The library trims values, and Azure compares names without regard to case.
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in kept)
    assert len(kept) == len(metadata)
    assert all(value == value.strip() and value.isascii() and value.isprintable() for value in kept.values())
    assert not any("  " in value or not value for value in kept.values())


def test_what_can_be_read_stays_readable() -> None:
    assert packed({"author": "Ada Lovelace; 100%"}) == {"author": "Ada Lovelace; 100%25"}
    assert packed({"Content-Id": ""}) == {"sre_x436f6e74656e742d4964": "%"}


def test_metadata_of_others_are_shown_as_they_are() -> None:
    assert unpacked({"Owner": "ops", "sre_xyz": "1", "sre_x80": "2"}) == {
        "Owner": "ops",
        "sre_xyz": "1",
        "sre_x80": "2",
    }


def test_metadata_that_are_named_like_ours_are_no_expiry() -> None:
    kept = packed({"sre_expires": "1", "sre_written": "2"})
    found = stored(properties(kept), "a")
    assert found.info.expires is None
    assert found.info.metadata == {"sre_expires": "1", "sre_written": "2"}


def test_properties_are_read() -> None:
    kept = {"author": "Zo%C3%AB", "sre_expires": "1756116000.5", "sre_written": "1756112400.25"}
    found = stored(properties(kept), "notes/today.txt")
    assert (found.info.key, found.info.size, found.info.content_type) == ("notes/today.txt", 11, "text/csv")
    assert found.info.metadata == {"author": "Zoë"}
    assert (found.info.modified, found.info.expires) == (1756112400.25, 1756116000.5)
    assert found.expired


@pytest.mark.parametrize(
    "missing", [{"etag": None}, {"last_modified": None}, {"size": None}, {"content_settings": None}]
)
def test_properties_that_lack_something_are_none(missing: dict[str, Any]) -> None:
    with pytest.raises(ConnectorError, match="none of Azure Blob Storage"):
        stored(properties({}, **missing), "a")


@pytest.mark.parametrize("kept", [{"sre_expires": "soon"}, {"sre_written": ""}])
def test_times_that_somebody_else_wrote_are_none(kept: dict[str, str]) -> None:
    found = stored(properties(kept), "a")
    assert (found.info.expires, found.info.modified) == (None, 1756112400.0)


def test_a_version_is_over_with_its_expiry() -> None:
    later = time.time() + 60
    assert version_of('"0x7"', None) == '"0x7"'
    assert etag_of('"0x7"') == '"0x7"'
    assert etag_of(version_of('"0x7"', later)) == '"0x7"'
    assert etag_of(version_of('"0x7"', 1.5)) is None


def test_an_expiry_changes_nothing_else_of_the_metadata() -> None:
    found = stored(properties({"author": "Zo%C3%AB", "sre_expires": "5.5"}), "a")
    assert expiry_metadata(found, 7.5) == {"author": "Zo%C3%AB", "sre_expires": "7.5", "sre_written": "1756112400.0"}
    assert expiry_metadata(found, None) == {"author": "Zo%C3%AB", "sre_written": "1756112400.0"}
