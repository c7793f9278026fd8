"""What can be said of a call before it is made."""

import pytest

from tests.unit.sre_core.components.nodes import made

URL = "https://a.example/x"


def said(url=URL, kind="none", body="", headers=""):
    data = {"method": "POST", "url": url, "contentType": kind, "body": body, "headers": headers}
    return [(flaw.setting, flaw.message) for flaw in made("APICall", data).check()]


@pytest.mark.parametrize(
    "url", [URL, " HTTP://a.example ", "{{url}}", "nowhere/{{path}}", "http://[::1]:80/a b?c={d}", "http://user:pw@a.b"]
)
def test_a_url_that_may_be_called_is_no_flaw(url):
    assert said(url) == []


@pytest.mark.parametrize(
    "url", ["nowhere", "ftp://a.example/x", "//a.example", "localhost:80/x", "http://", "http://["]
)
def test_a_url_that_no_request_can_go_to_is_a_flaw(url):
    ((setting, message),) = said(url)
    assert setting == "url"
    assert message.startswith("the URL ")


def test_a_url_with_a_secret_is_not_repeated():
    assert "hush" not in str(said("ftp://a.example/?key=hush"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '{"a": {{n}}, "b": "{{text}}", "c": 1}'),
        ("application/json", "{{body}}"),
        ("application/json", "{a: 1, /* as editors let it */ }"),
        ("application/json", {"a": 1}),
        ("application/json", ""),
        ("multipart/form-data", '{"a": {{file}}}'),
        ("application/x-www-form-urlencoded", "a=1&b={{b}}"),
        ("application/x-www-form-urlencoded", "{{fields}}"),
        ("text/plain", '{"a" 5}'),
        ("none", '{"a" 5}'),
    ],
)
def test_a_body_that_can_be_made_is_no_flaw(kind, body):
    assert said(kind=kind, body=body) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '{"a" 5}'),
        ("application/json", '{"a": {{n}}'),
        ("application/json", "hello {{name}}"),
        ("multipart/form-data", "a=1"),
        ("application/x-www-form-urlencoded", '{"a" 5}'),
    ],
)
def test_a_body_that_has_to_be_json_and_is_none_is_a_flaw(kind, body):
    ((setting, message),) = said(kind=kind, body=body)
    assert setting == "body"
    assert message.startswith("the body is no JSON (line 1, column ")


def test_all_flaws_are_told_at_once():
    found = said("nowhere", "application/json", "{", "[1]")
    assert [setting for setting, _ in found] == ["url", "headers", "body"]
