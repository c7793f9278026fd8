"""`sre bench-model`: how fast each engine runs a model on this machine, and which one `auto` takes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import click
from pydantic import TypeAdapter, ValidationError

from sre_core.errors import ConfigError, SREError, UnavailableError, UnsupportedError
from sre_smollm.commands.bench_worker import Measured
from sre_smollm.commands.configured import configured
from sre_smollm.engine.speed import AT_ONCE
from sre_smollm.local_model import LocalModel, find_model, model_id
from sre_smollm.networks.llamacpp_library import installed
from sre_smollm.networks.selection import prepare, select
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.known import known_model

__all__ = ["bench_model_command"]

_Engine = Literal["compiled", "transformers", "llamacpp"]
_ENGINES: tuple[_Engine, ...] = get_args(_Engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeftOut:
    """An engine that was not measured."""

    engine: str
    reason: str
    hint: str | None


def bench_model_command() -> click.Command:
    """The command."""

    @click.command(
        "bench-model",
        epilog="""\b
Examples:
  sre bench-model                         the model of the default connector
  sre bench-model smollm3
  sre bench-model --engine compiled --json
""",
    )
    @click.argument("model", required=False)
    @click.option("--engine", type=click.Choice(_ENGINES), help="Measure this one only.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def command(model: str | None, engine: _Engine | None, *, as_json: bool) -> None:
        """Measure how fast a model runs on this machine.

        MODEL is what sre pull takes. Each engine that can run it here is started in a process of its own, and reads
        and writes for some seconds; a large model on a small machine takes minutes. Other programs at work make the
        numbers smaller.
        """
        settings = configured(model, command="bench-model")
        _check_kind(settings)
        found = find_model(settings)
        auto = select(found.folder, settings.model_copy(update={"engine": "auto"}))
        measured, left_out = _measure(found, (engine,) if engine is not None else _ENGINES, named=engine is not None)
        if as_json:
            told = {
                "model": model_id(settings),
                "weights": str(found.place),
                "auto": asdict(auto),
                "engines": [asdict(one) for one in measured],
                "left_out": [asdict(one) for one in left_out],
            }
            click.echo(json.dumps(told, indent=2))
            return
        click.echo(f"{model_id(settings)}: {found.folder.parameters / 1e6:,.0f} million parameters, {found.place}")
        _show(measured)
        click.echo(f"auto takes {auto.engine}: {auto.reason}.")
        for one in left_out:
            click.echo(f"{one.engine} was left out: {one.reason}" + (f" ({one.hint})" if one.hint else ""))

    return command


def _check_kind(settings: SmolLMSettings) -> None:
    known = known_model(settings.model)
    if known is not None and known.kind == "embeddings":
        raise UnsupportedError(f"{known.name!r} writes no text", hint="name a model that does; sre pull --list")


def _measure(model: LocalModel, engines: Sequence[_Engine], *, named: bool) -> tuple[list[Measured], list[_LeftOut]]:
    """What was measured and what was not; with `named` an engine that cannot be measured is an error."""
    measured, left_out = [], []
    for engine in engines:
        settings = model.settings.model_copy(update={"engine": engine, "unload_after": None} | _room(model.settings))
        try:
            _check(model, settings)
            prepare(model.folder.path, settings)
            click.echo(f"measuring {engine}…", err=True)
            measured.append(_in_process(model, settings))
        except SREError as error:
            if named:
                raise
            left_out.append(_LeftOut(engine=engine, reason=error.message, hint=error.hint))
    return measured, left_out


def _room(settings: SmolLMSettings) -> dict[str, int]:
    """For all requests at once, whatever is configured."""
    return {"batch": max(settings.batch, AT_ONCE), "queue": max(settings.queue, AT_ONCE)}


def _check(model: LocalModel, settings: SmolLMSettings) -> None:
    """Raise ConfigError or UnsupportedError if the engine cannot run the model here."""
    if settings.engine == "llamacpp":
        if not installed():
            raise ConfigError("llama.cpp is not installed", hint="pip install 'sre-smollm[llamacpp]'")
        if not model.place.is_file():
            raise UnsupportedError("it reads GGUF files only", hint="name one, as sre bench-model model.gguf")
    select(model.folder, settings)


def _in_process(model: LocalModel, settings: SmolLMSettings) -> Measured:
    asked = {
        "settings": settings.model_dump(mode="json"),
        "context_tokens": model.context_tokens,
        "avoid": model.folder.image_token,
    }
    done = subprocess.run(
        [sys.executable, "-m", "sre_smollm.commands.bench_worker"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    line = done.stdout.strip().rpartition("\n")[2]
    if done.returncode == 0:
        return TypeAdapter(Measured).validate_json(line)
    try:
        told = TypeAdapter(dict[Literal["error", "hint"], str | None]).validate_json(line)
    except ValidationError:
        raise UnavailableError(
            f"the process that measured the engine {settings.engine!r} ended with {done.returncode}",
            hint="what it wrote last may say why; -9 means that the machine ran out of memory",
        ) from None
    raise UnavailableError(told["error"] or "", hint=told["hint"])


def _show(measured: Sequence[Measured]) -> None:
    # It takes a while to import, and only tables need it.
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if not measured:
        return
    first = measured[0].speed
    contexts = [f"write\nat {context:,}" for context in first.write]
    heads = [
        "weights",
        "start\ns",
        f"read\n{first.read_tokens:,}",
        *contexts,
        f"{AT_ONCE} write\nat once",
        "memory\nMB",
    ]
    table = Table("engine", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == "weights" else "right")
    for one in measured:
        speed = one.speed
        rates = [_rate(rate) for rate in (speed.read, *speed.write.values(), speed.together)]
        memory = f"{one.memory_bytes / 1e6:,.0f}" if one.memory_bytes is not None else "unknown"
        weights = f"{one.weights} on {one.device}"
        table.add_row(one.engine, weights, f"{one.start_seconds:.1f}", *rates, memory)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    click.echo("Tokens per second, but where another unit is said; memory is the most that the process took.")


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
