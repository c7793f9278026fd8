"""`sre pull`: fetch a model, check it, and make it ready for its first start."""

import click

from sre_smollm.commands.configured import configured
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.known import KNOWN
from sre_smollm.weights.pulling import Prepare, Pulled, pull
from sre_smollm.weights.sources import found

__all__ = ["pull_command"]


def pull_command(prepare: Prepare | None = None) -> click.Command:
    """The command; `prepare` is called last, with the folder of a pulled model."""

    @click.command(
        "pull",
        epilog="""\b
Examples:
  sre pull                              the model of the default connector
  sre pull smollm3
  sre pull owner/name --revision v1.0
  sre pull owner/name:file.gguf         one GGUF file of a repository
  sre pull --list                       known names, and what is here
""",
    )
    @click.argument("model", required=False)
    @click.option("--revision", metavar="NAME", help="Branch, tag or commit.  [default: main]")
    @click.option("--list", "as_list", is_flag=True, help="List the known models, and where they are on this machine.")
    def command(model: str | None, revision: str | None, *, as_list: bool) -> None:
        """Fetch a model and make it ready to start.

        MODEL is a known name, a hub id, or the path of a folder or GGUF file. It comes from the Hugging Face hub, or
        from what HF_ENDPOINT names, and every file is compared with its checksum. What is here is not fetched again;
        a download that was cut goes on. A GGUF file is converted at once.
        """
        if as_list:
            if model is not None or revision is not None:
                raise click.UsageError("--list takes no model and no revision")
            _show_known(configured(None, needed=False))
            return
        settings = configured(model)
        _tell(pull(settings, revision=revision, prepare=prepare), revision)

    return command


def _tell(pulled: Pulled, revision: str | None) -> None:
    fetched = pulled.fetched
    if fetched is None:
        click.echo(f"Nothing to fetch: the weights are at {pulled.place}")
    elif fetched.fetched_files:
        size = f"{fetched.fetched_bytes / 1e6:,.1f} MB"
        click.echo(f"Fetched {fetched.fetched_files} of {fetched.files} files, {size}; all checksums are right.")
    else:
        click.echo(f"Nothing to fetch: {fetched.files} files are here; all checksums are right.")
    click.echo(f"Ready: {pulled.folder}")
    if revision is not None:
        click.echo(f'To use this revision, set model = "{pulled.model}"')


def _show_known(settings: SmolLMSettings) -> None:
    rows = [("NAME", "HUB ID", "ON THIS MACHINE")]
    for known in KNOWN:
        place = found(settings.model_copy(update={"model": known.name, "weights": None}))
        rows.append((known.name, known.hub_id, str(place) if place else "no"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for name, hub_id, place_text in rows:
        click.echo(f"{name:<{widths[0]}}  {hub_id:<{widths[1]}}  {place_text}")
