"""The tokenizer of a folder, without transformers: the same tokens, the bytes of each, marks and templates."""

import json
import threading

import pytest

from sre_core.errors import ConfigError
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import resolve

TEXT = "Grüße, 你好 🙂🏽!  def f(x):\n\treturn x+1\n<think>no</think>"


@pytest.fixture(scope="module")
def tokenizer(tiny_folder):
    return Tokenizer.load(tiny_folder)


@pytest.mark.parametrize("which", ["tiny", "real"])
def test_tokens_are_those_of_transformers(which, tiny_folder):
    from transformers import AutoTokenizer

    folder = tiny_folder if which == "tiny" else resolve(SmolLMSettings())
    theirs, own = AutoTokenizer.from_pretrained(str(folder)), Tokenizer.load(folder)
    assert own.encode(TEXT) == theirs.encode(TEXT, add_special_tokens=False)
    assert own.encode(TEXT * 200) == theirs.encode(TEXT * 200, add_special_tokens=False)
    assert own.decode(own.encode(TEXT)) == TEXT
    assert (own.eos, own.bos, own.size) == (theirs.eos_token_id, theirs.bos_token_id, len(theirs))
    assert own.ends == {theirs.eos_token_id}
    assert own.templates == {"default": theirs.chat_template}


def test_other_threads_go_on_while_a_long_text_is_cut():
    tokenizer = Tokenizer.load(resolve(SmolLMSettings(model="smollm2-135m")))
    cut = threading.Thread(target=tokenizer.encode, args=("please help " * 60_000,))
    cut.start()
    turns = 0
    while cut.is_alive():
        cut.join(0.001)
        turns += 1
    assert turns > 10


def test_the_bytes_of_tokens_join_to_the_text_and_marks_have_none(tokenizer):
    ids = tokenizer.encode(f"<|im_start|>{TEXT}<|im_end|>")
    assert b"".join(map(tokenizer.bytes_of, ids)) == TEXT.encode()
    assert tokenizer.show(ids) == f"<|im_start|>{TEXT}<|im_end|>"
    assert tokenizer.bytes_of(tokenizer.size) == tokenizer.bytes_of(-1) == b""
    assert tokenizer.eos == tokenizer.id_of("<|im_end|>")
    assert tokenizer.id_of("<|nothing|>") is None


def test_a_vocabulary_of_pieces_with_bytes_to_fall_back_on():
    tokenizer = Tokenizer(_pieces())
    assert tokenizer.decode(tokenizer.encode("b a🙂 b")) == "b a🙂 b"
    assert tokenizer.bytes_of(tokenizer.id_of("<0x0A>")) == b"\n"


def test_text_in_the_middle_gets_no_blank_of_its_own():
    from tokenizers import normalizers

    core = _pieces()
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer = Tokenizer(core)
    assert tokenizer.decode(tokenizer.encode("a b")) == " a b"
    for text in ("a b", " a", "\n", "é\n\nb", ""):
        assert tokenizer.decode(tokenizer.encode_inside(text)) == text


def _pieces():
    from tokenizers import Tokenizer as Core
    from tokenizers import decoders, models, normalizers

    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b", "▁a"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model = models.BPE(vocab=vocabulary, merges=[("▁", "a")], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    core = Core(model)
    core.normalizer = normalizers.Replace(" ", "▁")
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return core


def test_special_marks_are_taken_apart_even_where_letters_are_folded():
    from tokenizers import AddedToken, models, normalizers
    from tokenizers import Tokenizer as Core

    core = Core(models.BPE(vocab={letter: number for number, letter in enumerate("<>|abc ")}, merges=[]))
    core.normalizer = normalizers.NFKC()
    core.add_special_tokens([AddedToken("<|a|>", normalized=True)])
    tokenizer = Tokenizer(core)
    mark = tokenizer.id_of("<|a|>")
    for text in ("b<|a|>c", "b\uff1c|a|\uff1ec", "<<|a|>|a|>"):
        assert mark in tokenizer.encode(text)
        assert mark not in tokenizer.encode(tokenizer.apart(text))


def _write(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text if isinstance(text, str) else json.dumps(text))


@pytest.fixture
def folder(tmp_path, tiny_folder):
    _write(tmp_path, tokenizer__json=(tiny_folder / "tokenizer.json").read_text())
    return tmp_path


def test_tokens_that_only_the_settings_know_are_added_in_their_place(folder, tokenizer):
    entry = {"content": "<|extra|>", "special": True}
    _write(folder, tokenizer_config__json={"added_tokens_decoder": {str(tokenizer.size): entry}})
    assert Tokenizer.load(folder).encode("<|extra|>") == [tokenizer.size]
    _write(folder, tokenizer_config__json={"added_tokens_decoder": {"999": entry}})
    with pytest.raises(ConfigError, match="999"):
        Tokenizer.load(folder)


def test_templates_are_found_by_name_and_a_file_wins(folder):
    named = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    _write(folder, tokenizer_config__json={"chat_template": named, "eos_token": {"content": "<|im_end|>"}})
    found = Tokenizer.load(folder)
    assert found.templates == {"default": "a", "tool_use": "b"}
    assert found.eos is not None
    _write(folder, chat_template__jinja="c", generation_config__json={"eos_token_id": [1, 2]})
    assert Tokenizer.load(folder).templates == {"default": "c", "tool_use": "b"}
    assert Tokenizer.load(folder).ends == {1, 2, found.eos}


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
@pytest.mark.parametrize("text", ["", '{"version": ', "[]", "\x00\x01"])
def test_damaged_files_are_named(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        Tokenizer.load(folder)


def test_a_folder_without_a_tokenizer_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path)
