"""What can be said of a service before its document is read."""

import pytest

from tests.unit.sre_core.components.nodes import made


def said(**data):
    return [(flaw.setting, flaw.message) for flaw in made("OpenAPI", data).check()]


@pytest.mark.parametrize("url", ["https://a.example/openapi.json", "{{base}}/openapi.json"])
def test_an_address_that_may_be_read_is_no_flaw(url):
    assert said(specUrl=url) == []
    assert said(specUrl=url, serverUrl=url) == []


def test_an_address_that_no_request_can_go_to_is_a_flaw():
    assert said(specUrl="openapi.json", serverUrl="a.example") == [
        ("specUrl", "the URL does not begin with http:// or https://"),
        ("serverUrl", "the URL does not begin with http:// or https://"),
    ]
