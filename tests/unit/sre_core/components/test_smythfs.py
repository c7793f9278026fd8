import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.smythfs import Address, is_address
from sre_core.errors import ComponentError


@pytest.mark.parametrize(
    ("text", "home", "path"),
    [
        ("smythfs://T1.team/a/b.txt", Candidate.team("T1"), "a/b.txt"),
        ("smythfs://a1.agent/x", Candidate.agent("a1"), "x"),
        ("smythfs://my.name.user/x", Candidate.user("my.name"), "x"),
        ("SMYTHFS://u.USER/x", Candidate.user("u"), "x"),
        ("smythfs://a1.agent/x?download=1#top", Candidate.agent("a1"), "x"),
        ("smythfs://a1.agent/a b%20c", Candidate.agent("a1"), "a%20b%20c"),
        ("smythfs://a1.agent/%2e%2e", Candidate.agent("a1"), "%2e%2e"),
        ("smythfs://a1.agent/bücher", Candidate.agent("a1"), "b%C3%BCcher"),
    ],
)
def test_an_address_names_a_home_and_a_path(text: str, home: Candidate, path: str) -> None:
    address = Address.parse(text)
    assert (address.home, address.path) == (home, path)
    assert Address.parse(str(address)) == address
    assert is_address(text)


def test_the_name_of_a_file_is_shown_as_people_write_it() -> None:
    assert Address.parse("smythfs://a1.agent/a/b%C3%BCcher.txt").name == "bücher.txt"


@pytest.mark.parametrize(
    "text",
    ["", "a1.agent/x", "https://a1.agent/x", "smythfs://a1/x", "smythfs://a1.smyth/x", "smythfs://a1.agent/a/../b"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ComponentError, match="illegal address"):
        Address.parse(text)
