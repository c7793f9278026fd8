"""From the bytes of a page to its title and its main text."""

import gzip

import pytest

from sre_core.errors import ComponentError
from sre_web import read_page

URL = "https://a.example/news/1"
STORY = "The river rose by two metres in one night, and half of the old town was under water by the morning."
HTML = f"""<!doctype html><html><head><title>Flood in the old town</title></head><body>
<nav><a href="/">Home</a> <a href="/more">More of our pages</a></nav>
<article><h1>Flood in the old town</h1><p>{STORY}</p>
<p>Read <a href="/report">the report</a> of those who measured it, and what they say about next year.</p>
<table><tr><th>day</th><th>metres</th></tr><tr><td>Monday</td><td>2.1</td></tr></table></article>
<footer>Imprint and much else</footer><script>alert("no text")</script></body></html>"""


def read(html=HTML, content_type="text/html; charset=utf-8", **options):
    return read_page(html if isinstance(html, bytes) else html.encode(), content_type, URL, **options)


def test_the_main_text_is_kept_as_markdown_and_the_rest_is_not():
    page = read()
    assert page.title == "Flood in the old town"
    assert STORY in page.content
    assert "# Flood in the old town" in page.content
    assert "| Monday | 2.1 |" in page.content
    assert not [word for word in ("Imprint", "More of our pages", "alert", "<p>") if word in page.content]


def test_plain_text_has_no_marks():
    page = read(output="text")
    assert STORY in page.content
    assert "#" not in page.content


def test_links_are_kept_only_if_asked_for():
    assert "https://a.example/report" not in read().content
    assert "[the report](https://a.example/report)" in read(links=True).content


@pytest.mark.parametrize(
    ("charset", "declared", "text"),
    [
        ("utf-8", "utf-8", "Zürich 東京"),
        ("windows-1251", "windows-1251", "Погода сегодня"),
        ("shift_jis", "Shift_JIS", "天気は晴れ"),
        ("utf-8", "no-such-charset", "Zürich 東京"),
        ("utf-8", "punycode", "Zürich 東京"),
    ],
)
def test_the_encoding_that_the_server_names_counts(charset, declared, text):
    html = f"<html><head><title>{text}</title></head><body><article><p>{text}</p></article></body></html>"
    page = read(html.encode(charset), f"text/html; charset={declared}")
    assert (page.title, page.content) == (text, text)


def test_without_one_the_page_s_own_encoding_counts():
    html = '<html><head><meta charset="shift_jis"><title>東京</title></head><body><p>天気は晴れ</p></body></html>'
    assert read(html.encode("shift_jis"), "text/html").content == "天気は晴れ"


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown; charset=utf-8", "application/json"])
def test_text_that_is_no_html_stays_as_it_is(kind):
    page = read('{"a": "<b>ü</b>"}', kind)
    assert (page.title, page.content) == ("", '{"a": "<b>ü</b>"}')


def test_a_page_without_a_type_is_taken_for_html():
    assert STORY in read(HTML, "").content


@pytest.mark.parametrize(("body", "kind"), [(b"%PDF-1.7 ...", "text/html"), (b"...", "application/pdf")])
def test_a_pdf_is_refused_and_called_by_its_name(body, kind):
    with pytest.raises(ComponentError, match="this is a PDF"):
        read(body, kind)


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "video/mp4"])
def test_what_is_no_text_is_refused(kind):
    with pytest.raises(ComponentError, match=kind):
        read(b"\x00\x01", kind)


@pytest.mark.parametrize("html", ["", "<html></html>", "<html><body><div id='root'></div><script>x()</script>"])
def test_a_page_without_text_is_an_error(html):
    with pytest.raises(ComponentError, match="no text of its own"):
        read(html)


def test_broken_html_is_read_as_far_as_it_goes():
    assert STORY in read(f"<html><body><div><p>{STORY}<b><table><tr><td>x</div>").content


def test_what_unpacks_to_far_more_is_not_unpacked():
    with pytest.raises(ComponentError):
        read(gzip.compress(b"<p>" + b"x" * 200_000_000), "text/html")


def test_nothing_in_a_page_is_fetched_or_read_from_disk(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush")
    xml = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><html><body><p>{STORY} &x;'
    assert "hush" not in read(xml).content


@pytest.mark.parametrize("tag", ["<br>", "<p>", "<a href=x>y</a>"])
def test_a_page_of_nothing_but_tags_is_refused_at_once(tag):
    with pytest.raises(ComponentError, match="tags"):
        read_page(f"<html><body><p>{STORY}{tag * 250_000}".encode(), "text/html", URL)
