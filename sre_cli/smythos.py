"""Vault and model files of SmythOS on the command line, as a configuration for one call."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sre_core.builtin.smythos_vault import read_smythos_vault
from sre_core.config import Config, load

__all__ = ["smythos_config", "sort_models"]


def sort_models(words: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Words NAME=MODEL, and files and folders of models, each in order. What exists is a file or a folder.

    Raises click.UsageError.
    """
    pairs: list[str] = []
    places: list[Path] = []
    for word in words:
        # Not of pathlib: a word may be longer than a path can be.
        if os.path.exists(word):  # noqa: PTH110
            places.append(Path(word).absolute())
        elif "=" in word:
            pairs.append(word)
        else:
            raise click.UsageError(f"No such file or folder of models: {word!r}; another model is NAME=MODEL.")
    return pairs, places


def smythos_config(team: str, vault: Path | None, models: Sequence[Path]) -> Config:
    """The configuration from here, for an agent of `team`, with `vault` as the default vault and `models` added.

    As in SmythOS, the keys of the agent's team are those of its models too, and what a team lacks it gets of the team
    "default". Raises ConfigError, and ConnectorError when the vault file is none.
    """
    code: dict[str, Any] = {}
    if vault is not None:
        # The connector itself reads it only when a secret is asked for, perhaps after half of the work.
        read_smythos_vault(vault)
        file = str(vault.absolute())
        settings = {"use": "smythos", "file": file, "shared": "default", "team": team, "share_with_teams": True}
        code["connectors"] = {"vault": {"default": settings}}
    if models:
        config = load().config
        code["model_files"] = [str(place) for place in (*map(config.place, config.model_files), *models)]
    return load(code=code).config
