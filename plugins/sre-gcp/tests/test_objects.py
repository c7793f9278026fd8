"""Descriptions of objects from ours to Google's and back, and the names that keys have."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.connectors.storage import NEW
from sre_core.errors import ConfigError, ConnectorError
from sre_gcp.names import Names
from sre_gcp.objects import condition, description, expiry_change, stored, untouched

RESOURCE: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "object.json").read_text())["resource"]


def test_a_description_is_read() -> None:
    found = stored(RESOURCE, "notes/today.txt")
    assert (found.info.key, found.info.size, found.info.version) == ("notes/today.txt", 11, "1756112400123456")
    assert found.info.content_type == "text/plain; charset=utf-8"
    assert dict(found.info.metadata) == {"author": "Zoë"}
    assert found.info.modified == 1756112400.123
    assert found.info.expires == 1756116000.5
    assert (found.metageneration, found.crc32c) == ("2", "yZRlqg==")
    assert found.expired


@pytest.mark.parametrize("missing", ["size", "generation", "timeCreated"])
def test_a_description_that_lacks_something_is_none(missing: str) -> None:
    with pytest.raises(ConnectorError, match="is none of Google Cloud Storage"):
        stored({name: value for name, value in RESOURCE.items() if name != missing}, "a")


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))))
def test_metadata_come_back_whatever_they_are(metadata: dict[str, str]) -> None:
    told = description("a", "text/plain", metadata)
    found = stored({**RESOURCE, "metadata": json.loads(json.dumps(told.get("metadata", {})))}, "a")
    assert found.info.metadata == metadata
    assert found.info.expires is None


def test_metadata_that_are_named_like_ours_are_no_expiry() -> None:
    metadata = {"sre-expires": "1", "sre-user-sre-expires": "2", "sre-": "", "percent": "%%"}
    told = description("a", "text/plain", metadata)
    assert "sre-expires" not in told["metadata"]
    assert "" not in told["metadata"].values()
    assert stored({**RESOURCE, "metadata": told["metadata"]}, "a").info.metadata == metadata


def test_an_expiry_can_be_given_and_taken_away() -> None:
    found = stored(RESOURCE, "a")
    assert expiry_change(found, None) == {"metadata": {"sre-expires": None}, "customTime": "9999-12-31T23:59:59Z"}
    assert expiry_change(found, 5.5) == {"metadata": {"sre-expires": "5.5"}}
    later = expiry_change(found, 4102444800.25)
    assert later["customTime"] == "2100-01-01T00:00:00.250000Z"
    fresh = stored({name: value for name, value in RESOURCE.items() if name != "customTime"}, "a")
    assert expiry_change(fresh, None) == {"metadata": {"sre-expires": None}}


@pytest.mark.parametrize("kept", ["soon", ""])
def test_an_expiry_that_somebody_else_wrote_is_none(kept: str) -> None:
    assert stored({**RESOURCE, "metadata": {"sre-expires": kept}}, "a").info.expires is None


@pytest.mark.parametrize(
    ("headers", "never"),
    [
        ({"x-goog-metageneration": "1"}, True),
        ({"x-goog-metageneration": "2"}, False),
        ({}, False),
        ({"x-goog-metageneration": "1", "x-goog-meta-sre-expires": "5.5"}, False),
    ],
)
def test_a_download_tells_whether_its_object_may_expire(headers: dict[str, str], never: bool) -> None:
    assert untouched(headers) is never


def test_a_condition_counts_what_has_expired_as_missing() -> None:
    over = stored(RESOURCE, "a")
    live = stored({**RESOURCE, "metadata": {"sre-expires": str(time.time() + 60)}}, "a")
    exactly = {"ifGenerationMatch": "1756112400123456", "ifMetagenerationMatch": "2"}
    assert condition(NEW, None) == {"ifGenerationMatch": "0"}
    assert condition(NEW, over) == exactly
    assert condition(NEW, live) is None
    assert condition("1756112400123456", live) == exactly
    assert condition("1756112400123456", over) is None
    assert condition("1", live) is None
    assert condition("1", None) is None


def test_a_name_is_the_key_below_the_prefix() -> None:
    names = Names("team/sre")
    assert names.name("a/b c") == "team/sre/a/b c"
    assert names.key("team/sre/a/b c") == "a/b c"
    assert names.folder("a") == "team/sre/a/"
    assert names.folder("") == "team/sre/"
    assert Names("").folder("") == ""


@pytest.mark.parametrize("key", ["a\nb", "a\rb", "x" * 1025, "ä" * 513, "", "a//b", "../a", "a\0", "\ud800"])
def test_a_key_that_google_cannot_have_is_refused(key: str) -> None:
    with pytest.raises(ConfigError):
        Names("").name(key)


def test_the_longest_key_fits() -> None:
    assert len(Names("").name("x" * 1024)) == 1024
    with pytest.raises(ConfigError, match="too long"):
        Names("p").name("x" * 1024)


@pytest.mark.parametrize("name", ["folder/", "/a", "a//b", "..", ""])
def test_a_name_that_is_no_key_has_none(name: str) -> None:
    assert Names("").key(name) is None
