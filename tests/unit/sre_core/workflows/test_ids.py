"""Any text becomes a legal id, the same one each time, and not another text's."""

from hypothesis import given
from hypothesis import strategies as st

from sre_core.access.candidate import check_id
from sre_core.workflows.ids import legal_id


def test_a_legal_id_stays():
    assert legal_id("clzh0ec9h1gg4blqzp3ae4fw1") == "clzh0ec9h1gg4blqzp3ae4fw1"


def test_an_illegal_id_keeps_what_is_legal_and_gets_a_digest():
    assert legal_id("my agent") == "my-agent-8cae0b62"
    assert legal_id("../../etc") == "etc-74ccf3c5"
    assert legal_id("你好") == "670d9743"


def test_texts_that_look_alike_do_not_share_an_id():
    assert len({legal_id(text) for text in ("a b", "a/b", "a-b", "a  b", "-a-b")}) == 5


@given(st.text(min_size=1, max_size=200))
def test_every_text_becomes_a_legal_id(text):
    assert check_id(legal_id(text)) == legal_id(text)
    assert legal_id(legal_id(text)) == legal_id(text)
