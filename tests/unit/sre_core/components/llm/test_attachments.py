"""Which inputs bring files."""

from sre_core.components.llm.attachments import media_inputs
from sre_core.components.node import InputPort, Node


def test_inputs_bring_files_by_type_in_any_case_by_mark_and_by_the_components_own_type():
    ports = [
        InputPort(name="a", type="Image"),
        InputPort(name="b", type="audio"),
        InputPort(name="c", type="Text"),
        InputPort(name="d", type="Text", is_file=True),
        InputPort(name="Own"),
    ]
    node = Node(id="N", type="GenAILLM", inputs=tuple(ports))
    found = media_inputs(node, (InputPort(name="Own", type="Binary"), InputPort(name="c")))
    assert [port.name for port in found] == ["a", "b", "d", "Own"]
