"""The catalogue finds what is meant exactly, says what is near, and takes the user's word over a plugin's."""

from typing import Any

import pytest

from sre_core.errors import ConfigError, NotFoundError
from sre_core.models import Catalogue, Clash, Given, ModelEntry

GROQ = {"preset": "groq", "key": {"vault": "groq"}}


def entry(id_: str, *aliases: str, **fields: Any) -> ModelEntry:
    return ModelEntry(id=id_, aliases=aliases, **{"connector": id_.partition("/")[0], **fields})


def offered(*entries: ModelEntry, plugin: str = "p") -> list[tuple[ModelEntry, str]]:
    return [(one, plugin) for one in entries]


def given(id_: str, **values: Any) -> Given:
    return Given(id=id_, values=values, source="sre.toml")


TWO = offered(
    entry("openai/gpt-5-mini", "mini", context_tokens=400_000, output_price=2.0),
    entry("groq/gpt-oss", connector="openai", settings=GROQ),
)


@pytest.mark.parametrize("name", ["openai/gpt-5-mini", "mini", "gpt-5-mini"])
def test_a_model_is_found_by_id_alias_and_by_a_name_that_no_other_has(name: str) -> None:
    assert Catalogue(TWO).get(name).entry.id == "openai/gpt-5-mini"


def test_a_bare_name_of_two_models_is_refused_with_both() -> None:
    catalogue = Catalogue([*TWO, *offered(entry("together/gpt-oss", connector="openai"))])
    with pytest.raises(ConfigError, match="several models: groq/gpt-oss, together/gpt-oss"):
        catalogue.get("gpt-oss")
    assert catalogue.get("groq/gpt-oss").entry.provider == "groq"


@pytest.mark.parametrize("name", ["openai/gpt-5-minni", "gpt5-mini", "Mini", "GPT-5-mini", "opnai/gpt-5-mini"])
def test_a_typo_is_never_taken_for_the_model_that_it_is_like(name: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        Catalogue(TWO).get(name)
    assert repr(name) in raised.value.message
    assert "'openai/gpt-5-mini'" in (raised.value.hint or "")


def test_a_name_like_no_other_is_sent_to_the_list() -> None:
    with pytest.raises(NotFoundError) as raised:
        Catalogue(TWO).get("something else entirely")
    assert raised.value.hint == "`sre models list` shows the names"


def test_an_alias_of_two_plugins_is_ambiguous_and_both_stay_reachable() -> None:
    catalogue = Catalogue(
        [
            *offered(entry("anthropic/sonnet-5", "sonnet"), plugin="anthropic"),
            *offered(entry("bedrock/sonnet", "sonnet"), plugin="aws"),
        ]
    )
    with pytest.raises(ConfigError, match="alias 'sonnet' is that of several models: anthropic/sonnet-5, bedrock"):
        catalogue.find("sonnet")
    assert catalogue.get("bedrock/sonnet").sources == ("plugin 'aws'",)
    assert catalogue.clashes == (Clash(alias="sonnet", ids=("anthropic/sonnet-5", "bedrock/sonnet"), winner=None),)


def test_the_users_alias_wins_over_a_plugins_and_the_clash_is_reported() -> None:
    catalogue = Catalogue(TWO, [given("groq/gpt-oss", aliases=("mini",))])
    assert catalogue.get("mini").entry.id == "groq/gpt-oss"
    assert catalogue.clashes == (Clash(alias="mini", ids=("groq/gpt-oss", "openai/gpt-5-mini"), winner="groq/gpt-oss"),)


def test_an_alias_that_is_the_id_of_another_model_loses_to_it_if_both_are_the_users_or_a_plugins() -> None:
    words = given("groq/gpt-oss", aliases=("openai/gpt-5-mini",)), given("openai/gpt-5-mini", label="Mini")
    for catalogue in (Catalogue(TWO, words), Catalogue([*TWO, *offered(entry("x/y", "openai/gpt-5-mini"))])):
        assert catalogue.get("openai/gpt-5-mini").entry.id == "openai/gpt-5-mini"
        assert [clash.winner for clash in catalogue.clashes] == ["openai/gpt-5-mini"]
        assert not catalogue.is_hidden("openai/gpt-5-mini")


def test_the_users_alias_is_not_taken_from_him_by_a_plugin_that_lists_a_model_of_that_id() -> None:
    catalogue = Catalogue(TWO, [given("groq/gpt-oss", aliases=("openai/gpt-5-mini",))])
    assert catalogue.get("openai/gpt-5-mini").entry.id == "groq/gpt-oss"
    assert catalogue.is_hidden("openai/gpt-5-mini")
    clash = Clash(alias="openai/gpt-5-mini", ids=("groq/gpt-oss", "openai/gpt-5-mini"), winner="groq/gpt-oss")
    assert catalogue.clashes == (clash,)
    twice = [given(name, aliases=("openai/gpt-5-mini",)) for name in ("groq/gpt-oss", "groq/b")]
    with pytest.raises(ConfigError, match="alias 'openai/gpt-5-mini' is that of several models: groq/b, groq/gpt-oss"):
        Catalogue(TWO, twice).find("openai/gpt-5-mini")


def test_the_user_changes_what_he_gives_and_nothing_else() -> None:
    values = {"output_price": 1.0, "features": ("tools",), "aliases": ("fast",)}
    found = Catalogue(TWO, [given("openai/gpt-5-mini", **values)]).get("fast")
    assert (found.entry.output_price, found.entry.context_tokens) == (1.0, 400_000)
    assert found.entry.features == {"tools"}
    assert found.entry.aliases == ("mini", "fast")
    assert found.sources == ("plugin 'p'", "sre.toml")
    assert found.own_aliases == {"fast"}


def test_what_two_files_say_of_a_model_is_put_together_and_the_later_counts() -> None:
    first = Given(
        id="groq/x", values={"context_tokens": 1, "label": "X", "aliases": ("a",)}, source="f", notes=("odd",)
    )
    found = Catalogue(TWO, [first, given("groq/x", context_tokens=2, aliases=("b",))]).get("b")
    assert (found.entry.context_tokens, found.entry.label, found.entry.aliases) == (2, "X", ("a", "b"))
    assert found.notes == ("odd",)


def test_a_new_model_is_reached_like_the_others_of_its_provider() -> None:
    catalogue = Catalogue(TWO, [given("groq/mine", model="ft:mine")])
    found = catalogue.get("groq/mine")
    assert (found.entry.connector, found.entry.settings, found.own_route) == ("openai", GROQ, False)
    assert catalogue.route(found.entry).id == "groq"
    assert catalogue.get("ft:mine").entry == found.entry


def test_a_new_model_of_a_new_provider_says_how_to_reach_it_in_whatever_order() -> None:
    words = [given("acme/b"), given("acme/a", connector="openai", settings={"url": "http://acme"})]
    catalogue = Catalogue((), words)
    assert catalogue.get("acme/b").entry.settings == {"url": "http://acme"}
    assert {catalogue.route(found.entry).id for found in catalogue.listed.values()} == {"acme"}


def test_a_new_model_of_a_configured_connector_needs_no_more_words() -> None:
    catalogue = Catalogue((), [given("desk/gemma")], connectors={"desk": "openai"})
    assert catalogue.get("desk/gemma").entry.connector == "openai"


def test_a_new_model_that_nothing_reaches_is_refused_with_its_source() -> None:
    with pytest.raises(ConfigError, match=r"model 'acme/x' in sre.toml does not say how to reach 'acme'"):
        Catalogue(TWO, [given("acme/x")])


def test_a_model_moved_elsewhere_has_a_way_of_its_own_and_leaves_its_provider_in_place() -> None:
    catalogue = Catalogue(TWO, [given("openai/gemma", settings={"url": "http://desk"})])
    found = catalogue.get("openai/gemma")
    assert found.own_route
    assert catalogue.route(found.entry).id == "openai/gemma"
    assert catalogue.route(catalogue.get("mini").entry).id == "openai"
    assert catalogue.route_by_id("openai").settings == {}  # type: ignore[union-attr]


def test_settings_that_the_user_gives_bring_no_secret_of_the_plugin_along() -> None:
    moved = Catalogue(TWO, [given("groq/gpt-oss", settings={"url": "http://elsewhere"})]).get("gpt-oss")
    assert moved.entry.settings == {"url": "http://elsewhere"}


def test_another_connector_takes_over_without_the_settings_of_the_old_one() -> None:
    assert Catalogue(TWO, [given("groq/gpt-oss", connector="acme")]).get("gpt-oss").entry.settings == {}


def test_models_reached_alike_share_a_connector() -> None:
    desk = {"connector": "openai", "settings": {"url": "http://desk"}}
    catalogue = Catalogue(TWO, [given("openai/a", **desk), given("openai/b", **desk)])
    assert {catalogue.route(catalogue.get(name).entry).id for name in ("openai/a", "openai/b")} == {"openai/a"}


def test_hundreds_of_models_that_are_each_reached_otherwise_are_compared_with_none_that_does_not_matter() -> None:
    class Settings(dict[str, str]):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Settings.compared += 1
            return super().__eq__(other)

        __hash__ = None

    words = [given(f"acme/{n}", connector="openai", settings=Settings(url=f"http://{n}")) for n in range(200)]
    assert len(Catalogue((), words).listed) == 200
    assert Settings.compared < 5 * 200**2


def test_an_entry_for_any_model_says_how_its_provider_is_reached() -> None:
    anything = entry("google/*", settings={"key": 1})
    catalogue = Catalogue(offered(anything, entry("google/x", settings={"backend": "vertex"})))
    assert catalogue.route_by_id("google").settings == {"key": 1}  # type: ignore[union-attr]
    assert catalogue.route(catalogue.get("google/x").entry).id == "google/x"
    assert "google/*" not in catalogue.near("google/y")


def test_a_provider_is_reached_by_what_the_settings_of_all_its_models_have() -> None:
    plain, chatty = entry("openai/b", settings=GROQ), entry("openai/a", settings={**GROQ, "api": "chat"})
    catalogue = Catalogue(offered(chatty, plain))
    assert catalogue.route_by_id("openai").settings == GROQ  # type: ignore[union-attr]
    assert catalogue.route(chatty).id == "openai/a"


def test_of_a_provider_that_is_reached_in_two_ways_neither_is_picked() -> None:
    catalogue = Catalogue(offered(entry("a/x", settings={"url": 1}), entry("a/y", settings={"url": 2})))
    assert catalogue.route_by_id("a") is None
    assert [catalogue.route(found.entry).id for found in catalogue.listed.values()] == ["a/x", "a/y"]


def test_what_a_connector_does_not_have_is_explained_with_near_names() -> None:
    error = Catalogue(TWO).explain(NotFoundError("no model 'gpt-5-mni'", hint="ask for another"), "openai/gpt-5-mni")
    assert error.message == "no model 'gpt-5-mni'"
    assert error.hint == "ask for another; near names in the catalogue: 'openai/gpt-5-mini'"
    assert Catalogue(TWO).explain(NotFoundError("none"), "zzz").hint is None


def test_settings_and_what_the_user_gave_are_in_no_repr() -> None:
    catalogue = Catalogue(TWO, [given("openai/x", settings={"key": "sk-4711"})])
    found = catalogue.get("openai/x")
    shown = repr((found, catalogue.route(found.entry), given("a/b", settings={"key": "sk-4711"})))
    assert "sk-4711" not in shown
