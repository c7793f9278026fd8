"""`sre models`: what the catalogue knows, what it costs, and where it is served."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from pydantic import SecretStr

from sre_cli.masking import is_reference, masked
from sre_cli.operator import OPERATOR, operator_config
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, print_table
from sre_core.config import load
from sre_core.connectors.base import Service
from sre_core.errors import NotFoundError, SREError
from sre_core.models.catalogue import Listed
from sre_core.models.entry import ModelEntry
from sre_core.runtime import Runtime

__all__ = ["models"]

_NARROWEST = 16

_PRICES = {
    "input_price": "input costs",
    "output_price": "output costs",
    "cached_price": "cache reads",
    "cache_write_price": "cache writes",
}


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  sre models                           the same as sre models list
  sre models list --provider groq      what one provider has
  sre models show openai/gpt-5-mini    all that is known of one
""",
)
@debug_option
@click.pass_context
def models(context: click.Context) -> None:
    """Show the catalogue of models.

    It knows what plugins list, and what sre.toml adds. A model that it does not know can be used all the same.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@models.command("list", epilog="\b\nExample:\n  sre models list --feature images --feature tools\n")
@click.option("--provider", metavar="NAME", help="Only models of this provider.")
@click.option("--feature", "features", metavar="WORD", multiple=True, help="Only models that can do this; repeatable.")
@json_option
@debug_option
def list_(*, provider: str | None = None, features: tuple[str, ...] = (), as_json: bool = False) -> None:
    """List the models, with their limits in tokens and their prices in dollars per million tokens."""
    runtime = Runtime(load().config)
    catalogue = runtime.catalogue
    if provider is not None and provider not in catalogue.providers:
        raise click.UsageError(f"No models of {provider!r}; providers are: {', '.join(catalogue.providers)}.")
    found = [
        (listed, _served(runtime, listed))
        for listed in catalogue.listed.values()
        if provider in {None, listed.entry.provider} and set(features) <= listed.entry.features
    ]
    if as_json:
        print_json([_as_json(listed, served) for listed, served in found])
    else:
        print_table(
            ("MODEL", "CONTEXT", "OUTPUT", "$ IN", "$ OUT", "FEATURES", "SERVED BY"),
            [_row(listed.entry, served) for listed, served in found],
        )
    for clash in catalogue.clashes:
        whose = f"it is that of {clash.winner}" if clash.winner else "it names none of them"
        click.echo(f"Alias {clash.alias!r} is wanted by {', '.join(clash.ids)}: {whose}.", err=True)


@models.command(
    epilog="\b\nExamples:\n  sre models show gpt-5-mini\n  sre models show groq/openai/gpt-oss-120b --json\n"
)
@click.argument("name")
@json_option
@debug_option
def show(name: str, *, as_json: bool) -> None:
    """Show all that is known of one model, found by its id, an alias, or a name that no other has."""
    asyncio.run(_show(name, as_json=as_json))


async def _show(name: str, *, as_json: bool) -> None:
    async with Runtime(operator_config()) as runtime:
        listed = runtime.catalogue.get(name)
        served = _served(runtime, listed)
        secrets = {secret: await _state(runtime, secret) for secret in served.secrets}
    if as_json:
        print_json({**_as_json(listed, served), "secrets": secrets})
        return
    click.echo(listed.entry.id)
    lines = _lines(listed, served, secrets)
    width = max(_NARROWEST, *(len(title) + 2 for title, _ in lines))
    for title, text in lines:
        click.echo(f"  {title:<{width}}{text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """Where a model is served: the id of its connector, which is configured or opened when it is needed."""

    id: str
    use: str
    settings: Mapping[str, Any]
    secrets: tuple[str, ...]
    state: str

    def __str__(self) -> str:
        return f"{self.id}, {self.state}" if self.state != "configured" else self.id


def _served(runtime: Runtime, listed: Listed) -> _Served:
    entry, configured = listed.entry, runtime.config.connectors["llm"]
    is_hidden = runtime.catalogue.is_hidden(entry.id)
    if entry.is_any or not entry.enabled or is_hidden:
        id_ = entry.provider if entry.provider in configured else runtime.catalogue.route(entry).id
    else:
        id_ = runtime.choose_model(entry.id).connector
    if id_ in configured:
        use, settings, state = configured[id_].use, configured[id_].options, "configured"
    else:
        use, settings, state = entry.connector, dict(entry.settings), "on first use"
    if (Service.LLM, use) not in runtime.plugins.connectors:
        state = "not installed"
    if not entry.enabled:
        state = "not enabled"
    if is_hidden:
        state = "hidden by an alias"
    secrets = tuple(str(value["vault"]) for value in settings.values() if is_reference(value))
    shown = masked(use, settings, runtime.plugins.connectors)
    return _Served(id=id_, use=use, settings=shown, secrets=secrets, state=state)


async def _state(runtime: Runtime, secret: str) -> str:
    """Whether a secret is there; an answer, whatever becomes of the vault."""
    try:
        found: SecretStr = await runtime.vault(OPERATOR).get(secret)
    except NotFoundError as error:
        return f"not set: {error.hint or error.message}"
    except SREError as error:
        return f"not known: {error.message}"
    return "set" if found.get_secret_value() else "empty"


def _row(entry: ModelEntry, served: _Served) -> tuple[str, ...]:
    limits = (_size(entry.context_tokens), _size(entry.output_tokens))
    return (entry.id, *limits, _price(entry.input_price), _price(entry.output_price), _words(entry), str(served))


def _lines(listed: Listed, served: _Served, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    entry = listed.entry
    settings = ", ".join(f"{key} = {_text(value)}" for key, value in served.settings.items())
    lines = [
        ("label", entry.label),
        ("aliases", ", ".join(alias for alias in entry.aliases if alias != entry.name)),
        ("context", _tokens(entry.context_tokens)),
        ("longest reply", _tokens(entry.output_tokens)),
        *((title, _dollars(getattr(entry, name))) for name, title in _PRICES.items()),
        ("features", _words(entry)),
        ("parameters", ", ".join(f"{name} = {_text(value)}" for name, value in entry.params.items())),
        ("asked for as", "any name" if entry.is_any else f"{entry.name}, which the guard knows as llm/{entry.name}"),
        ("served by", f"llm:{served.id} ({served.use}), {served.state}"),
        ("settings", settings),
        *((f"secret {name}", state) for name, state in secrets.items()),
        ("known from", ", then ".join(listed.sources)),
        *(("note", note) for note in listed.notes),
    ]
    return [(title, text) for title, text in lines if text]


def _as_json(listed: Listed, served: _Served) -> dict[str, Any]:
    entry = listed.entry
    return {
        "id": entry.id,
        "provider": entry.provider,
        "name": entry.name,
        "label": entry.label,
        "aliases": list(entry.aliases),
        "context_tokens": entry.context_tokens,
        "output_tokens": entry.output_tokens,
        **{name: getattr(entry, name) for name in _PRICES},
        "features": sorted(entry.features),
        "params": dict(entry.params),
        "enabled": entry.enabled,
        "served_by": {
            "id": served.id,
            "connector": served.use,
            "settings": dict(served.settings),
            "state": served.state,
        },
        "sources": list(listed.sources),
        "notes": list(listed.notes),
    }


def _words(entry: ModelEntry) -> str:
    return ", ".join(sorted(entry.features))


def _size(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _tokens(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,} tokens"


def _price(price: float | None) -> str:
    return "" if price is None else f"{price:g}"


def _dollars(price: float | None) -> str:
    return "" if price is None else f"${price:g} per million tokens"


def _text(value: Any) -> str:
    return f"vault {value['vault']!r}" if is_reference(value) else str(value)
