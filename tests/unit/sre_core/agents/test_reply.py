"""Reply: a string with attributes."""

import copy
import json
import pickle

import pytest

from sre_core.agents.reply import Reply
from sre_core.messages import FinishReason, Message, Usage


def test_a_reply_is_its_text():
    reply = Reply("hi", usage=Usage(input_tokens=3))
    assert reply == "hi"
    assert f"{reply}!" == "hi!"
    assert json.dumps({"a": reply}) == '{"a": "hi"}'
    assert reply.usage.total_tokens == 3


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda reply: pickle.loads(pickle.dumps(reply))])
def test_a_copy_keeps_the_attributes(clone):
    reply = Reply("hi", messages=(Message.assistant("hi"),), finish_reason=FinishReason.LENGTH, output=[1], model="m")
    again = clone(reply)
    assert again == "hi"
    assert again.__dict__ == reply.__dict__
