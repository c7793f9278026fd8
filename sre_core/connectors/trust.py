"""Whom to trust over TLS."""

import ssl
from pathlib import Path

from sre_core.errors import ConfigError

__all__ = ["trusting"]


def trusting(ca_file: Path | None) -> ssl.SSLContext | bool:
    """What aiohttp takes as `ssl`: the authorities of the system, and those of a file if there is one.

    Raises ConfigError when it cannot be read.
    """
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise ConfigError(
            f"cannot read certificates from {str(ca_file)!r}", hint="set ca_file to a PEM file"
        ) from error
    return context
