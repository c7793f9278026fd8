"""ComponentHost runs the component that it names."""

import pytest
from pydantic import Field

from sre_core.components import Component, ComponentSettings
from sre_core.errors import ComponentError, WorkflowError
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


class GreeterSettings(ComponentSettings):
    """How to greet."""

    greeting: str = Field(default="Hello", max_length=10)


class Greeter(Component):
    """Greets."""

    name = "Greeter"
    settings_type = GreeterSettings
    settings: GreeterSettings

    async def run(self, inputs, context):
        ports = [port.name for port in self.node.inputs]
        return {"Text": f"{self.settings.greeting}, {inputs['Name']}", "Node": (self.node.id, self.node.type, ports)}


class GreeterPlugin:
    """A plugin that brings Greeter."""

    @hookimpl
    def register_components(self):
        return [Greeter]


def plugins() -> Plugins:
    return Plugins.load(only=[], extra={"greeters": GreeterPlugin()})


async def test_the_component_of_a_plugin_runs_with_the_settings_and_ports_of_the_node():
    async with bench(plugins=plugins()) as b:
        found = await b.run("ComponentHost", {"_component": "Greeter", "greeting": "Ciao"}, inputs={"Name": "Ann"})
    assert found == {"Text": "Ciao, Ann", "Node": ("NODE1", "Greeter", ["Name"])}


async def test_a_built_in_component_runs_too():
    async with bench() as b:
        found = await b.run("ComponentHost", {"_component": "FSleep", "delay": "0"}, inputs={"Input": 1})
    assert found == {"Output": 1}


async def test_its_errors_are_those_of_the_component():
    async with bench() as b:
        with pytest.raises(ComponentError, match="no fields to keep"):
            await b.run("ComponentHost", {"_component": "JSONFilter"}, inputs={"Input": {}})


async def test_a_component_that_is_not_installed_is_an_error():
    async with bench() as b:
        with pytest.raises(WorkflowError, match="'Greeter'"):
            await b.run("ComponentHost", {"_component": "Greeter"}, inputs={"Name": "Ann"})


@pytest.mark.parametrize("data", [{}, {"_component": ""}, {"_component": None}])
async def test_no_component_is_an_error(data):
    async with bench() as b:
        with pytest.raises(ComponentError, match="names no component"):
            await b.run("ComponentHost", data)
    assert "names no component" in next(iter(made("ComponentHost", data).check()))


async def test_it_does_not_host_itself():
    async with bench() as b:
        with pytest.raises(ComponentError, match="cannot host itself"):
            await b.run("ComponentHost", {"_component": "ComponentHost"})


async def test_wrong_settings_are_an_error_that_says_which_and_not_what_they_hold():
    data = {"_component": "Greeter", "greeting": "my-secret-is-much-too-long"}
    async with bench(plugins=plugins()) as b:
        with pytest.raises(ComponentError, match="greeting: String should have at most 10") as refused:
            await b.run("ComponentHost", data, inputs={"Name": "Ann"})
    assert "secret" not in str(refused.value)


def test_with_a_component_there_is_nothing_to_tell():
    assert list(made("ComponentHost", {"_component": "Greeter"}).check()) == []
