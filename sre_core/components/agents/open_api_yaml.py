"""YAML of documents that strangers may have written. This module imports yaml; only `open_api` leads here."""

from typing import Any

import yaml

from sre_core.errors import ComponentError

__all__ = ["read_yaml"]

_MOST_MERGED = 1_000_000
"""Keys that mappings may take from others by `<<`: each line of a document could take all that another one has."""

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]  # one of two classes, as the package was built
    """Makes plain data, and no more of it than the document has lines for."""

    left = _MOST_MERGED

    def flatten_mapping(self, node: Any) -> None:
        """Take in what `<<` names."""
        own = len(node.value)
        super().flatten_mapping(node)
        self.left -= max(len(node.value) - own, 0)
        if self.left < 0:
            raise yaml.YAMLError(f"its mappings take more than {_MOST_MERGED:,} keys from others")


def read_yaml(text: bytes, place: str) -> Any:
    """The data of a YAML text that was found at `place`. Raises ComponentError."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- it is a safe one
    except (yaml.YAMLError, ArithmeticError, ValueError, RecursionError) as error:
        raise ComponentError(f"what is at {place} is neither JSON nor YAML", hint=f"{error!s:.200}") from error
