"""Models: settings that become a request."""

from sre_core.connectors.llm import LLMRequest
from sre_sdk import Model


def test_a_model_without_settings_leaves_all_to_the_connector():
    assert Model("x").request("y") == LLMRequest(messages=(), model="y")


def test_every_setting_reaches_the_request():
    model = Model(
        "x", temperature=0.5, top_p=0.9, max_tokens=7, seed=1, stop=("a",), thinking=True, options={"top_k": 3}
    )
    assert model.request("x") == LLMRequest(
        messages=(),
        model="x",
        temperature=0.5,
        top_p=0.9,
        max_tokens=7,
        seed=1,
        stop=("a",),
        thinking=True,
        options={"top_k": 3},
    )
