"""A document knows in which section a character lies."""

import pickle

import pytest

from sre_core.documents import Document, Section
from sre_core.documents.document import broken_files
from sre_core.errors import ConfigError


def test_a_character_lies_in_the_last_section_that_began_before_it():
    document = Document(
        text="abcdef", media_type="x", sections=(Section(title="one", start=1), Section(title="two", start=4))
    )
    assert [document.section_at(position) for position in range(6)] == ["", "one", "one", "one", "two", "two"]


def test_a_document_without_sections_has_none_anywhere():
    assert Document(text="abc", media_type="x").section_at(1) == ""


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), UnicodeError(), OSError("x"), TypeError()])
def test_what_readers_raise_becomes_an_error_that_names_the_file(error):
    with pytest.raises(ConfigError, match=r"'a.pdf' cannot be read as PDF") as caught, broken_files("a.pdf", "PDF"):
        raise error
    assert caught.value.__cause__ is error
    assert pickle.loads(pickle.dumps(caught.value)).hint == caught.value.hint


def test_errors_of_the_reader_s_own_are_those_that_were_named():
    class OwnError(Exception):
        pass

    with pytest.raises(ConfigError), broken_files("x", "PDF", OwnError):
        raise OwnError
    with pytest.raises(OwnError), broken_files("x", "PDF"):
        raise OwnError
