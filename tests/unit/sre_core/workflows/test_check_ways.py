"""Links that lead nowhere, around in circles, or not at all."""

from dataclasses import replace

from sre_core.plugins import Plugins
from sre_core.workflows import smyth
from sre_core.workflows.check import check, check_text
from sre_core.workflows.graph import Link
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(*components, links=()):
    find = Plugins.load(only=[]).component
    return [f"{problem.severity} {problem}" for problem in check_text(text(agent(*components, links=links)), find)]


def test_what_no_endpoint_leads_to_is_a_warning_but_for_notes():
    parts = [component("A"), component("B"), component("N", "Note")]
    assert said(endpoint(), *parts, links=[link("A", "B")]) == [
        "warning components[1]: no endpoint or trigger leads here, so it never runs (in 'The A', A)",
        "warning components[2]: no endpoint or trigger leads here, so it never runs (in 'The B', B)",
    ]


def test_without_an_endpoint_there_is_one_warning():
    assert said(component("A"), component("B")) == [
        "warning there is no endpoint and no trigger, so nothing can be started"
    ]
    assert said(component("N", "Note")) == []


def test_a_trigger_starts_what_follows_it():
    trigger = component("T", "Note", data={"triggerEndpoint": "mail"})
    assert said(trigger, component("A"), links=[link("T", "A")]) == []


def test_an_input_that_the_component_needs_and_nothing_feeds_is_a_warning():
    hashed = component("H", "FHash", inputs=[{"name": "x"}, {"name": "Data"}], data={"algorithm": "md5"})
    assert "warning components[1].inputs[1]: nothing is linked to the input 'Data' (in 'The H', H)" in said(
        endpoint(), hashed, links=[link("E", "H")]
    )


def test_an_input_that_the_settings_use_and_nothing_feeds_is_a_warning():
    ports = [{"name": "Input"}, {"name": "who"}]
    made = component("S", inputs=ports, data={"delay": "1", "note": "{{who}}"})
    assert said(endpoint(), made, links=[link("E", "S")]) == [
        "warning components[1].inputs[1]: nothing is linked to the input 'who', which the settings use (in 'The S', S)"
    ]


def test_an_input_with_a_default_or_that_is_optional_needs_no_link():
    ports = [{"name": "Input"}, {"name": "who", "defaultVal": "Ann"}, {"name": "why", "optional": True}]
    made = component("S", inputs=ports, data={"delay": "1", "note": "{{who}} {{why}}"})
    assert said(endpoint(), made, links=[link("E", "S")]) == []


def test_a_link_to_a_component_as_a_whole_is_an_error_unless_it_is_an_endpoint():
    trigger = component("T", "Note", data={"triggerEndpoint": "mail"})
    made = [trigger, endpoint(), component("A")]
    assert said(*made, links=[link("T", "E", 0, -1), link("T", "A", 0, -1), link("E", "A")]) == [
        (
            "error connections[1].targetIndex: a link from The T (Note T) leads to input -1, which only an endpoint has"
            " (in 'The A', A); link it to one of the inputs"
        )
    ]


def test_a_link_to_itself_is_a_warning():
    made = component("A", outputs=[{"name": "Output"}, {"name": "Output.more"}])
    found = said(endpoint(), made, component("B"), links=[link("E", "A"), link("A", "A", 1), link("A", "B")])
    assert found == [
        "warning connections[1]: its output 'Output.more' is linked to the component itself (in 'The A', A)"
    ]


def test_a_link_that_is_there_already_is_a_warning_for_each():
    links = [link("E", "A"), 7, link("E", "A", "body", "Input"), link("E", "A")]
    assert [line for line in said(endpoint(), component("A"), links=links) if line.startswith("warning")] == [
        (
            f"warning connections[{position}]: its output 'body' is linked to The A (FSleep A) already, which brings"
            " the value twice (in 'The E', E)"
        )
        for position in (2, 3)
    ]


def test_links_that_were_made_in_code_are_counted_by_their_own_order():
    workflow = smyth.read(text(agent(endpoint(), component("A"), component("B"), links=[link("E", "A")])))
    more = Link(source="A", output=0, target="B", input=0)
    changed = replace(workflow, links=(more, more, *workflow.links))
    found = check(changed, Plugins.load(only=[]).component)
    assert [problem.path for problem in found] == ["connections[1]"]


def test_a_circle_without_a_way_out_is_a_warning():
    links = [link("E", "A"), link("A", "B"), link("B", "A")]
    assert said(endpoint(), component("A"), component("B"), links=links) == [
        (
            "warning components[1]: links lead around in a circle, and none leads out of it:"
            " The A (FSleep A), The B (FSleep B) (in 'The A', A)"
        )
    ]


def test_a_circle_with_a_way_out_is_no_problem():
    links = [link("E", "A"), link("A", "B"), link("B", "A"), link("B", "C")]
    assert said(endpoint(), component("A"), component("B"), component("C"), links=links) == []


def test_a_circle_that_waits_for_itself_is_a_warning():
    two = component("A", "APIOutput", inputs=[{"name": "Input"}, {"name": "again"}])
    links = [link("E", "A"), link("A", "B"), link("B", "A", 0, 1), link("B", "C")]
    assert said(endpoint(), two, component("B"), component("C"), links=links) == [
        (
            "warning components[1]: each of these waits for another one of them: The A (APIOutput A), The B (FSleep B)"
            " (in 'The A', A); make an input optional that a link of the circle leads to"
        )
    ]
    two["inputs"][1]["optional"] = True
    assert said(endpoint(), two, component("B"), component("C"), links=links) == []


def test_a_chain_and_a_circle_of_ten_thousand_are_no_trouble():
    parts = [component(f"N{n}") for n in range(10_000)]
    links = [link("E", "N0")] + [link(f"N{n}", f"N{(n + 1) % 10_000}") for n in range(10_000)]
    (problem,) = said(endpoint(), *parts, links=links)
    assert "none leads out of it: The N0 (FSleep N0), " in problem
    assert ", …" in problem
