"""`sre agent`: what SmythOS's command of that name does, with its flags."""

from pathlib import Path

import click

from sre_cli.options import Session, debug_option, seconds_option

__all__ = ["agent"]


@click.command(
    epilog="""\b
Examples:
  sre agent agent.smyth --skill search query="hello world"
  sre agent agent.smyth --prompt "What can you do?"
  sre agent agent.smyth --prompt "What can you do?" gpt-4o-mini
  sre agent agent.smyth --chat --vault vault.json --models models.json
"""
)
@click.argument("target", metavar="FILE")
@click.option("-s", "--skill", metavar="NAME", help="Call a skill; its arguments follow as NAME=VALUE.")
@click.option("-p", "--prompt", metavar="TEXT", help="Give the agent a prompt; the name of a model may follow.")
@click.option("-c", "--chat", is_flag=True, help="Talk with the agent, as without any of these; a model may follow.")
@click.option(
    "-M",
    "--models",
    metavar="PLACE | NAME=MODEL",
    multiple=True,
    help="A file or folder of models as SmythOS has them, beside those of sre.toml; or the model to take where nodes "
    "name another one, * for all names.",
)
@click.option(
    "-v",
    "--vault",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A vault file as SmythOS has it, in place of the default vault.",
)
@click.argument("words", metavar="[NAME=VALUE | MODEL]...", nargs=-1)
@seconds_option
@debug_option
@click.pass_context
def agent(
    context: click.Context,
    target: str,
    skill: str | None,
    prompt: str | None,
    models: tuple[str, ...],
    vault: Path | None,
    words: tuple[str, ...],
    seconds: float | None,
    *,
    chat: bool,
) -> None:
    """Run an agent's file as SmythOS's command does.

    The same as `sre call`, `sre run` and `sre chat`, which have more options, and find vault and models in sre.toml.
    """
    given = {"--skill": skill is not None, "--prompt": prompt is not None, "--chat": chat}
    chosen = [name for name, is_given in given.items() if is_given] or ["--chat"]
    if len(chosen) > 1:
        raise click.UsageError("Give one of --skill, --prompt and --chat.")
    if skill is None and len(words) > 1:
        raise click.UsageError(f"One model may follow {chosen[0]}, not {len(words)}.")
    # Imported now: these need the runtime, and help must not wait for it.
    from sre_cli.smythos import smythos_config, sort_models
    from sre_cli.target import load_agent

    pairs, places = sort_models(models)
    loaded = load_agent(target, pairs, seconds=seconds)
    if vault is not None or places:
        # Once more, since only the agent's file says whose keys it needs.
        config = smythos_config(loaded.team, vault, places)
        loaded = load_agent(target, pairs, seconds=seconds, config=config)
    if skill is not None:
        from sre_cli.commands.call import call_skill

        call_skill(loaded, skill, words)
    elif prompt is not None:
        from sre_cli.commands.run import give_prompt

        give_prompt(loaded, prompt, model=next(iter(words), None))
    else:
        from sre_cli.commands.chat import talk

        talk(loaded, model=next(iter(words), None), debug=Session.of(context).debug)
