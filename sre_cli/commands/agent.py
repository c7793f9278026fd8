"""`sre agent`: what SmythOS's command of that name does, with its flags."""

import click

from sre_cli.options import debug_option

__all__ = ["agent"]


@click.command(
    epilog="""\b
Examples:
  sre agent agent.smyth --skill search query="hello world"
  sre agent agent.smyth --prompt "What can you do?"
  sre agent agent.smyth --prompt "What can you do?" gpt-4o-mini
  sre agent agent.smyth --chat
"""
)
@click.argument("target", metavar="FILE")
@click.option("-s", "--skill", metavar="NAME", help="Call a skill; its arguments follow as NAME=VALUE.")
@click.option("-p", "--prompt", metavar="TEXT", help="Give the agent a prompt; the name of a model may follow.")
@click.option("-c", "--chat", is_flag=True, help="Talk with the agent, as without any of these; a model may follow.")
@click.argument("words", metavar="[NAME=VALUE | MODEL]...", nargs=-1)
@debug_option
@click.pass_context
def agent(
    context: click.Context, target: str, skill: str | None, prompt: str | None, words: tuple[str, ...], *, chat: bool
) -> None:
    """Run an agent's file as SmythOS's command does.

    The same as `sre call`, `sre run` and `sre chat`, which have more options.
    """
    given = {"--skill": skill is not None, "--prompt": prompt is not None, "--chat": chat}
    chosen = [name for name, is_given in given.items() if is_given] or ["--chat"]
    if len(chosen) > 1:
        raise click.UsageError("Give one of --skill, --prompt and --chat.")
    if skill is not None:
        from sre_cli.commands.call import call_skill
        from sre_cli.target import load_agent

        call_skill(load_agent(target), skill, words)
        return
    if len(words) > 1:
        raise click.UsageError(f"One model may follow {chosen[0]}, not {len(words)}.")
    model = words[0] if words else None
    if prompt is not None:
        from sre_cli.commands.run import run

        context.invoke(run, target=target, prompt=prompt, model=model, files=(), models=(), as_json=False)
    else:
        from sre_cli.commands.chat import chat as talk

        context.invoke(talk, target=target, session_id=None, model=model, models=())
