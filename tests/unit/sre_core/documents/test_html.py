"""HTML becomes the text that a reader sees."""

import time

import pytest

from sre_core.documents.document import Section
from sre_core.documents.html import html_document, read_html


def text(source: str) -> str:
    return html_document(source, "page.html").text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>One <b>bo</b>ld\n  word.</p><p>Two", "One bold word.\n\nTwo"),
        ("one<br>two<div>three</div>four", "one\ntwo\nthree\nfour"),
        ("<ul><li>a<li><p>b</p></ul>end", "- a\n\n- b\n\nend"),
        ("<table><tr><th>Name<th>Age<tr><td><p>Ann</p><td><p>7</p></table>", "Name | Age\nAnn | 7"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("<p>Fish &amp; chips &eacute; &#x263A;</p>", "Fish & chips é ☺"),
        ("a<script>no()</script><style>p{}</style><nav>Menu</nav><!-- no --> b", "a b"),
        ("<svg><title>no</title><text>no</text></svg>yes", "yes"),
        ("<p>open <b>never closed", "open never closed"),
        ("<template><p>no</p></template><p>yes</p>", "yes"),
        ("", ""),
        ("   \n ", ""),
        ("just text", "just text"),
    ],
)
def test_the_text_is_what_a_reader_sees(source: str, expected: str) -> None:
    assert text(source) == expected


def test_headings_are_sections_and_the_title_is_the_page_s() -> None:
    document = html_document(
        "<html><head><title> The\n Title</title></head><body><h1>First <i>one</i></h1><p>a</p><h2>Second</h2>b", "x"
    )
    assert document.title == "The Title"
    assert document.text == "First one\n\na\n\nSecond\n\nb"
    assert document.sections == (Section(title="First one", start=0), Section(title="Second", start=14))
    assert document.section_at(10) == "First one"
    assert document.section_at(15) == "Second"


def test_without_a_title_the_first_heading_is_it() -> None:
    assert html_document("<h2>Only</h2>", "x").title == "Only"


def test_a_page_s_own_word_on_its_characters_counts_unless_the_server_said() -> None:
    page = '<meta charset="iso-8859-1"><p>caf\xe9'.encode("latin-1")
    assert read_html(page, "x").text == "café"
    assert read_html("<meta charset=latin-1><p>café".encode(), "x", "utf-8").text == "café"


def test_entities_of_a_dtd_are_not_followed() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]><p>&a;&f;'
    assert "root:" not in text(bomb)
    assert "aaaa" not in text(bomb)


@pytest.mark.parametrize(
    "source",
    [
        *("<div>" * 200_000 + "x", "<" * 500_000, "<a " * 200_000, "<!--" * 200_000, "<a b='" * 100_000),
        *("<b><p>" * 50_000, "<svg>" + "<g>" * 60_000 + "<i></i>" * 60_000),
    ],
    ids=["nested", "angle", "attributes", "comments", "quotes", "misnested", "unseen"],
)
def test_hostile_markup_takes_no_more_time_than_other_text(source: str) -> None:
    began = time.process_time()
    text(source)
    assert time.process_time() - began < 60
