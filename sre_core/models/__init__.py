"""The catalogue of models: data, not code."""

from sre_core.models.entry import ModelEntry

__all__ = ["ModelEntry"]
