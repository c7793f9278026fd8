"""An image-text model writes, token for token, what plain generate writes, however its prompts are cut and batched."""

import pytest

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message
from sre_smollm.networks.base import Row
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.transformers_network import Placement
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.vision.expansion import Sight, expanded

from .pictures import COSTS, ICON, LETTER, SALES, plain, saved  # noqa: TID252 -- the folder of tests is no package
from .tiny_networks import shuffled  # noqa: TID252
from .tiny_smolvlm import save_tiny_llava, save_tiny_smolvlm  # noqa: TID252

MAKERS = {
    "smolvlm": save_tiny_smolvlm,
    "idefics3": lambda folder: save_tiny_smolvlm(folder, family="Idefics3"),
    "llava": save_tiny_llava,
}


class Seeing:
    """A model in a folder with all that its prompts need."""

    def __init__(self, path, *, limit: int = 1 << 24, detail="high") -> None:
        from sre_smollm.vision.network import load

        self.path = path
        folder = ModelFolder.read(path)
        self.sight = Sight(folder, limit=limit, detail=detail)
        tokenizer = Tokenizer.load(path)
        self.sight.load(tokenizer)
        self.template = Template(tokenizer)
        placement = Placement(device="cpu", dtype="float32", read_threads=1)
        self.network = load(folder, placement, self.sight, limit=limit)
        self.held = []

    def prompt(self, *messages: Message) -> list[int]:
        """The ids of a conversation, whose pictures are held until the test is over."""
        pictures = self.sight.look([file for message in messages for file in message.files])
        self.held.append(pictures)
        return list(expanded(self.template.prompt(messages), pictures).ids)

    def words(self, ids) -> list[int]:
        """With the model's own mark in place of ids of pictures."""
        mark = self.template.tokenizer.id_of("<image>")
        return [mark if token < 0 else token for token in ids]


@pytest.fixture(scope="module", params=MAKERS)
def seeing(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    MAKERS[request.param](folder)
    return Seeing(folder)


@pytest.fixture(scope="module")
def smolvlm_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smolvlm")
    save_tiny_smolvlm(folder)
    return folder


END = "<end_of_utterance>\n"
# What is asked, and the same as the template of SmolVLM shows it.
TALKS = {
    "one chart": (
        [Message.user("Which bar?", files=(saved(SALES),))],
        "<|im_start|>User:<image>Which bar?<end_of_utterance>\nAssistant:",
        [SALES],
    ),
    "several of other sizes": (
        [Message.user("Compare.", files=(saved(COSTS), saved(LETTER), saved(ICON)))],
        "<|im_start|>User:<image><image><image>Compare.<end_of_utterance>\nAssistant:",
        [COSTS, LETTER, ICON],
    ),
    "in two turns": (
        [
            Message.user("What?", files=(saved(LETTER),)),
            Message.assistant("A bill."),
            Message.user("And this?", files=(saved(SALES),)),
        ],
        f"<|im_start|>User:<image>What?{END}Assistant: A bill.{END}User:<image>And this?{END}Assistant:",
        [LETTER, SALES],
    ),
    "text alone": ([Message.user("Hello.")], "<|im_start|>User: Hello.<end_of_utterance>\nAssistant:", []),
}


def test_prompts_and_replies_are_those_of_plain_transformers(seeing):
    asked, expected = [], []
    for messages, text, images in TALKS.values():
        ids, written = plain(seeing.path, text, images, 12)
        asked.append(seeing.prompt(*messages))
        assert seeing.words(asked[-1]) == ids
        expected.append(written)
    assert len({tuple(written) for written in expected}) == len(expected)
    for seed in range(3):
        # Other rows are read along, in parts of any length, and caches are cut and forked.
        assert shuffled(seeing.network, asked, 12, seed) == expected


def test_every_place_to_cut_a_picture_gives_the_same(seeing):
    ids = seeing.prompt(Message.user("?", files=(saved(ICON),)))
    cache = seeing.network.cache()
    (whole,) = seeing.network.forward([Row(cache=cache, ids=ids)])
    for cut in range(1, len(ids)):
        cache.truncate(0)
        seeing.network.forward([Row(cache=cache, ids=ids[:cut], keep=0)])
        (scores,) = seeing.network.forward([Row(cache=cache, ids=ids[cut:])])
        assert abs(scores - whole).max() < 1e-3


def test_what_is_seen_matters(seeing):
    question = "Which bar is the highest?"
    first, second = (seeing.prompt(Message.user(question, files=(saved(image),))) for image in (ICON, COSTS))
    same = seeing.prompt(Message.user(question, files=(saved(ICON, name="other.png"),)))
    assert first == same
    assert not {token for token in first if token < 0} & {token for token in second if token < 0}
    other = ICON.copy()
    other.paste((0, 0, 0), (0, 0, 10, 10))
    scores = [
        seeing.network.forward([Row(cache=seeing.network.cache(), ids=ids)])[0]
        for ids in (first, seeing.prompt(Message.user(question, files=(saved(other),))))
    ]
    assert abs(scores[0] - scores[1]).max() > 0.1


@pytest.mark.parametrize("limit", [0, 3000])
def test_what_found_no_room_is_looked_at_again(limit, smolvlm_folder):
    seeing = Seeing(smolvlm_folder, limit=limit)
    messages, text, images = TALKS["in two turns"]
    _, expected = plain(smolvlm_folder, text, images, 8)
    asked = seeing.prompt(*messages)
    assert shuffled(seeing.network, [asked], 8, 1) == [expected]
    views = sum(len(picture.views) for picture in seeing.held[0])
    assert seeing.network.looked > views


def test_a_picture_is_looked_at_once_and_tile_by_tile(smolvlm_folder):
    seeing = Seeing(smolvlm_folder)
    ids = seeing.prompt(Message.user("?", files=(saved(SALES),)))
    (picture,) = seeing.held[0]
    assert len(picture.views) == 9
    cache = seeing.network.cache()
    marks = [place for place, token in enumerate(ids) if token < 0]
    seeing.network.forward([Row(cache=cache, ids=ids[: marks[5]], keep=0)])
    assert seeing.network.looked == 2
    seeing.network.forward([Row(cache=cache, ids=ids[marks[5] :], keep=0)])
    seeing.network.forward([Row(cache=seeing.network.cache(), ids=ids, keep=0)])
    assert seeing.network.looked == 9


def test_with_low_detail_a_picture_is_one_view(smolvlm_folder):
    seeing = Seeing(smolvlm_folder, detail="low")
    messages, text, images = TALKS["several of other sizes"]
    ids, expected = plain(smolvlm_folder, text, images, 8, do_image_splitting=False)
    asked = seeing.prompt(*messages)
    assert seeing.words(asked) == ids
    assert shuffled(seeing.network, [asked], 8, 1) == [expected]
    assert seeing.network.looked == len(images)


def test_kinds_that_are_not_known_are_refused_with_the_reason(smolvlm_folder, tmp_path):
    from dataclasses import replace

    folder = ModelFolder.read(smolvlm_folder)
    with pytest.raises(UnsupportedError, match="its kind, 'mllama'"):
        Sight(replace(folder, model_type="mllama"), limit=0)
    with pytest.raises(UnsupportedError, match="three parts"):
        Sight(replace(folder, text={"rope_scaling": {"mrope_section": [2, 3, 3]}}), limit=0)
    with pytest.raises(UnsupportedError, match="no token for images"):
        Sight(replace(folder, image_token=None), limit=0)
    with pytest.raises(ConfigError, match="how images are made ready cannot be read"):
        Sight(replace(folder, path=tmp_path), limit=0).load(Tokenizer.load(smolvlm_folder))
