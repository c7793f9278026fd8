"""URLs, origins and headers, before anything is sent."""

import pytest
from yarl import URL

from sre_core.components.http_target import (
    basic_auth,
    check_headers,
    check_method,
    is_same_origin,
    origin_text,
    parse_url,
    redirect_url,
    without_credentials,
)
from sre_core.errors import ComponentError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "//example.com/x",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://example.com:99999/",
        "http://example.com:port/",
        "http://example.com/a b",
        "http://example.com/\r\nX: y",
        "http://example.com/\x00",
        "http://good.example\\@evil.example/",
        "http://[::1",
        "http://example.com/\ud800",
    ],
)
def test_what_is_no_url_of_http_is_refused(text):
    with pytest.raises(ComponentError):
        parse_url(text)


def test_the_error_for_an_illegal_url_does_not_repeat_it():
    with pytest.raises(ComponentError) as caught:
        parse_url("http://user:hunter2@example.com:99999/?key=s3cret")
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_backslash_after_the_host_is_a_sign_like_others():
    assert str(parse_url("https://a.example?q=a\\b")) == "https://a.example/?q=a%5Cb"


def test_a_fragment_is_not_sent_and_the_encoding_stays():
    assert str(parse_url("https://a.example/x%2Fy?q=a%26b%2Bc#top")) == "https://a.example/x%2Fy?q=a%26b%2Bc"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://a.example/b"),
        ("c?d=1", "https://a.example/x/c?d=1"),
        ("//b.example/", "https://b.example/"),
        (" https://b.example/ ", "https://b.example/"),
        ("https://user:pass@b.example/", "https://b.example/"),
    ],
)
def test_a_redirect_leads_where_it_says_without_credentials(location, target):
    assert str(redirect_url(URL("https://a.example/x/y"), location)) == target


@pytest.mark.parametrize("location", ["ftp://b.example/", "http://[", "javascript:alert(1)", "data:text/plain,x"])
def test_a_redirect_to_what_is_not_http_is_refused(location):
    with pytest.raises(ComponentError):
        redirect_url(URL("https://a.example/"), location)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://A.EXAMPLE:443/y", True),
        ("http://a.example/", "https://a.example/", True),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example:8080/", "https://a.example/", False),
        ("http://a.example/", "http://a.example:8080/", False),
        ("http://a.example/", "http://b.example/", False),
        ("http://a.example/", "https://b.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one, other, same):
    assert is_same_origin(URL(one), URL(other)) is same


def test_what_messages_show_of_a_url_is_its_origin():
    assert origin_text("https://user:hunter2@a.example:8443/path?key=s3cret") == "https://a.example:8443"


@pytest.mark.parametrize(
    "headers",
    [
        {"X\r\nY": "z"},
        {"X": "y\r\nZ: 1"},
        {"X": "y\nZ: 1"},
        {"X": "\x00"},
        {"": "y"},
        {"a b": "c"},
        {"a:": "c"},
        {"a": "\ud800"},
    ],
)
def test_a_header_that_would_be_two_is_refused(headers):
    with pytest.raises(ComponentError):
        check_headers(headers)


def test_the_error_for_a_header_does_not_repeat_its_value():
    with pytest.raises(ComponentError) as caught:
        check_headers({"Authorization": "Bearer s3cret\n"})
    assert "s3cret" not in str(caught.value)


def test_how_a_body_is_framed_is_not_for_authors_to_say():
    framing = {"Content-Length": "5", "transfer-encoding": "chunked", "Connection": "close", "Expect": "100-continue"}
    assert check_headers({**framing, "X-A": "ü\t1"}) == {"X-A": "ü\t1"}


def test_credentials_do_not_go_to_another_origin():
    headers = {"Authorization": "a", "COOKIE": "b", "proxy-authorization": "c", "X-Api-Key": "d", "Host": "e"}
    assert without_credentials({**headers, "Accept": "f"}) == {"Accept": "f"}


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GET /x HTTP/1.1\r\nHost: b"])
def test_a_method_is_one_word(method):
    with pytest.raises(ComponentError):
        check_method(method)


def test_methods_are_in_capitals():
    assert check_method("patch") == "PATCH"


def test_credentials_of_a_url_become_a_header():
    assert basic_auth("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
