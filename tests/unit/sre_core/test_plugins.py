"""Tests of loading plugins: what each kind of broken plugin does to itself, and that it does nothing to others."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sre_core.access import Access, AccessRequest, Candidate, Resource
from sre_core.connectors import Service
from sre_core.errors import PluginError, UnknownConnectorError
from sre_core.events import Event, RunStarted
from sre_core.plugins import PluginInfo, Plugins
from tests.unit.sre_core.installed import CONNECTORS, HEADER, Installer


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installer]:
    installer = Installer(tmp_path, monkeypatch)
    yield installer
    installer.forget()


def load(*names: str, disabled: tuple[str, ...] = ()) -> Plugins:
    return Plugins.load(only=names or None, disabled=disabled)


def info_of(plugins: Plugins, name: str) -> PluginInfo:
    (info,) = [info for info in plugins.infos if info.name == name]
    return info


def problem(plugins: Plugins, name: str) -> str:
    error = info_of(plugins, name).error
    assert isinstance(error, PluginError)
    return str(error)


def caches(plugins: Plugins) -> set[str]:
    return {name for service, name in plugins.connectors if service is Service.CACHE}


def hook(signature: str, body: str) -> str:
    return f"{HEADER}\n@hookimpl\ndef {signature}:\n    {body}\n"


def test_a_sound_plugin_is_loaded_with_its_version(installer: Installer) -> None:
    installer.good()
    plugins = load("good")
    assert "good" in caches(plugins)
    info = info_of(plugins, "good")
    assert (info.version, info.error) == ("1.2.3", None)


def test_the_models_of_a_plugin_are_its_own_and_counted_in_its_summary(installer: Installer) -> None:
    entry = "from sre_core.models import ModelEntry; return [ModelEntry(id=f'a/{n}', connector='a') for n in range(3)]"
    installer.install("many", hook("register_models()", entry))
    plugins = load("many")
    assert {plugins.model_owner(id_) for id_ in ("a/0", "a/1", "a/2")} == {"many"}
    assert info_of(plugins, "many").summary() == "3 models"
    assert info_of(plugins, "builtin").summary().endswith("cache:sqlite, 1 model")


def test_the_built_in_connectors_are_always_there() -> None:
    assert {"memory", "sqlite"} <= caches(load("nothing-of-that-name"))


BROKEN = {
    "a missing import": ("import no_such_library_of_theirs", "no_such_library_of_theirs"),
    "bad syntax": ("def oops(:", "SyntaxError"),
    "a raise at import": ("raise RuntimeError('boom at import')", "boom at import"),
    "an exit at import": ("raise SystemExit('usage: acme')", "SystemExit"),
    "connectors that raise": (hook("register_connectors()", "raise OSError('boom one')"), "boom one"),
    "components that raise": (hook("register_components()", "raise OSError('boom two')"), "boom two"),
    "skills that raise": (hook("register_skills()", "raise OSError('boom three')"), "boom three"),
    "models that raise": (hook("register_models()", "raise OSError('boom four')"), "boom four"),
    "connectors that raise late": (
        hook("register_connectors()", "yield Acme\n    raise OSError('boom five')"),
        "boom five",
    ),
    "a misspelt hook": (hook("register_conectors()", "return [Acme]"), "register_conectors"),
    "no hook at all": ("def register_connectors():\n    return []", "no hooks"),
    "an async hook": (f"{HEADER}\n@hookimpl\nasync def on_event(event):\n    pass\n", "is async"),
    "a misspelt argument": (hook("veto_access(requst)", "return None"), "requst"),
    "too many arguments": (hook("register_connectors(more)", "return [Acme]"), "more"),
    "a number for connectors": (hook("register_connectors()", "return 7"), "register_connectors"),
    "a class for connectors": (hook("register_connectors()", "return Acme"), "register_connectors"),
    "text for connectors": (hook("register_connectors()", "return 'Acme'"), "register_connectors"),
    "no connector": (hook("register_connectors()", "return [int]"), "int"),
    "an instance": (hook("register_connectors()", "return [Acme(Settings())]"), "Acme"),
    "an abstract connector": (hook("register_connectors()", "return [CacheConnector]"), "CacheConnector"),
    "the same connector twice": (hook("register_connectors()", "return [Acme, Acme]"), "acme"),
    "no component": (hook("register_components()", "return [int]"), "int"),
    "no skill": (hook("register_skills()", "return [int]"), "int"),
    "no model": (hook("register_models()", "return [int]"), "int"),
    "an illegal name": (HEADER.replace('"acme"', '"two words"') + CONNECTORS.format("Acme"), "two words"),
    "no name": (HEADER.replace('name = "acme"', "") + CONNECTORS.format("Acme"), "name"),
    "a built-in's name": (HEADER.replace('"acme"', '"memory"') + CONNECTORS.format("Acme"), "memory"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_named_with_its_error_and_stops_no_other(installer: Installer, fault: str) -> None:
    source, words = BROKEN[fault]
    installer.good("before")
    installer.install("broken", source)
    installer.good("later")
    plugins = load("before", "broken", "later")
    assert words in problem(plugins, "broken")
    assert "\n" not in problem(plugins, "broken")
    assert {"before", "later", "memory"} <= caches(plugins)
    assert "acme" not in caches(plugins)
    assert info_of(plugins, "before").error is None
    assert info_of(plugins, "later").error is None


@pytest.mark.parametrize("target", ["no_such_module_at_all", "{module}:nothing"])
def test_an_entry_point_that_leads_nowhere_is_an_error_of_its_plugin(installer: Installer, target: str) -> None:
    installer.good("later")
    installer.install("astray", HEADER, target=target)
    plugins = load("astray", "later")
    assert info_of(plugins, "astray").error
    assert "later" in caches(plugins)


def test_nothing_of_a_failed_plugin_stays(installer: Installer) -> None:
    half = (
        HEADER
        + CONNECTORS.format("Acme")
        + """
@hookimpl
def veto_access(request):
    return "half a plugin says no"


@hookimpl
def register_skills():
    raise RuntimeError("boom")
"""
    )
    installer.install("half", half)
    plugins = load("half")
    assert info_of(plugins, "half").error
    assert "acme" not in caches(plugins)
    assert [veto(request()) for veto in plugins.vetoes()] == []


def request() -> AccessRequest:
    return AccessRequest(Candidate.agent("a1"), Access.READ, Resource.parse("storage/agent/a1/x"))


def test_the_first_of_two_plugins_keeps_a_connectors_name(installer: Installer) -> None:
    installer.good("first", connector="shared")
    installer.good("second", connector="shared")
    plugins = load("first", "second")
    assert info_of(plugins, "first").error is None
    assert "shared" in problem(plugins, "second")
    assert "first" in problem(plugins, "second")
    assert plugins.connectors[Service.CACHE, "shared"].__module__ == installer.modules[0]


def test_the_first_of_two_distributions_keeps_a_plugins_name(installer: Installer) -> None:
    installer.good("twin", connector="one")
    installer.good("twin", connector="two")
    plugins = load("twin")
    errors: list[PluginError | None] = [info.error for info in plugins.infos if info.name == "twin"]
    assert len(errors) == 2
    assert errors.count(None) == 1
    assert len({"one", "two"} & caches(plugins)) == 1


def test_a_plugin_can_be_disabled(installer: Installer) -> None:
    installer.good("wanted")
    installer.good("unwanted")
    plugins = load(disabled=("unwanted",))
    assert "wanted" in caches(plugins)
    assert "unwanted" not in caches(plugins)


def test_a_disabled_plugin_is_not_even_imported(installer: Installer) -> None:
    installer.install("unwanted", "raise SystemExit(3)")
    assert all(info.error is None for info in load(disabled=("unwanted",)).infos if info.name == "unwanted")


def test_loading_can_be_narrowed_to_some(installer: Installer) -> None:
    installer.good("wanted")
    installer.good("other")
    plugins = load("wanted")
    assert "wanted" in caches(plugins)
    assert "other" not in caches(plugins)


def test_a_plugin_that_is_asked_for_but_not_installed_is_named() -> None:
    assert "not installed" in problem(load("nobody"), "nobody")


def test_a_missing_connector_of_a_failed_plugin_names_the_plugin_and_its_error(installer: Installer) -> None:
    installer.install("broken", "raise RuntimeError('boom at import')")
    with pytest.raises(UnknownConnectorError, match=r"'acme' is installed.*broken.*boom at import"):
        load("broken").connector(Service.CACHE, "acme")


def test_a_missing_connector_names_the_package_that_has_it() -> None:
    with pytest.raises(UnknownConnectorError) as raised:
        load("nobody").connector(Service.CACHE, "redis")
    assert raised.value.hint == "pip install sre-redis"


def test_a_misspelt_connector_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownConnectorError) as raised:
        load("nobody").connector(Service.CACHE, "memry")
    assert "'memory'" in (raised.value.hint or "")


VETOES = {
    "raise OSError('boom')": "the veto of plugin 'broken' raised OSError",
    "raise SystemExit(3)": "the veto of plugin 'broken' raised SystemExit",
    "return False": "the veto of plugin 'broken' returned bool",
    "return 'not today'": "not today",
    "return None": None,
}


@pytest.mark.parametrize("body", VETOES)
def test_a_veto_that_breaks_refuses(installer: Installer, body: str) -> None:
    installer.install("broken", hook("veto_access(request)", body))
    (veto,) = load("broken").vetoes()
    reason, expected = veto(request()), VETOES[body]
    assert reason == expected or (expected is not None and (reason or "").startswith(expected))


@pytest.mark.parametrize("body", ["raise OSError('boom')", "raise SystemExit(3)"])
def test_an_observer_that_raises_disturbs_nobody(installer: Installer, body: str) -> None:
    installer.install("broken", hook("on_event(event)", body))
    installer.install("hearing", "heard = []\n" + hook("on_event(event)", "heard.append(event)"))
    event: Event = RunStarted(prompt="hi")
    for observe in load("broken", "hearing").observers():
        observe(event)
    assert sys.modules[installer.modules[1]].heard == [event]


COMMAND = """
@cli.command({name!r})
    def command(): pass
    {then}
"""


def commands(name: str, then: str = "") -> str:
    return hook("register_commands(cli)", COMMAND.format(name=name, then=then).strip())


def test_commands_of_plugins_join_the_others(installer: Installer) -> None:
    installer.install("tools", commands("polish"))
    cli = click.Group()
    load("tools").register_commands(cli)
    assert list(cli.commands) == ["polish"]


@pytest.mark.parametrize("error", ["OSError('boom')", "SystemExit('boom')"])
def test_a_plugin_that_raises_while_it_adds_commands_adds_none(installer: Installer, error: str) -> None:
    installer.install("broken", commands("half", f"raise {error}"))
    installer.install("tools", commands("polish"))
    plugins, cli = load("broken", "tools"), click.Group()
    plugins.register_commands(cli)
    assert list(cli.commands) == ["polish"]
    assert "boom" in problem(plugins, "broken")
    assert info_of(plugins, "tools").error is None


def test_a_command_cannot_take_the_place_of_another(installer: Installer) -> None:
    installer.install("first", commands("polish"))
    installer.install("second", commands("polish"))
    plugins, cli = load("first", "second"), click.Group()
    plugins.register_commands(cli)
    assert cli.commands["polish"].callback.__module__ == installer.modules[0]
    assert "polish" in problem(plugins, "second")


def test_plugins_are_loaded_and_asked_in_the_order_of_their_names(installer: Installer) -> None:
    for name in ("zeta", "alpha", "mid"):
        installer.install(name, hook("veto_access(request)", f"return {name!r}"))
    plugins = load("zeta", "mid", "alpha")
    assert [info.name for info in plugins.infos] == ["builtin", "alpha", "mid", "zeta"]
    assert [veto(request()) for veto in plugins.vetoes()] == ["alpha", "mid", "zeta"]


def test_two_sets_of_plugins_know_nothing_of_each_other(installer: Installer) -> None:
    installer.good()
    assert "good" in caches(load("good"))
    assert "good" not in caches(load("nobody"))
