"""The catalogue of models: data, not code."""

from sre_core.models.catalogue import Catalogue, Clash, Given, Listed, Route
from sre_core.models.entry import ANY, ModelEntry

__all__ = ["ANY", "Catalogue", "Clash", "Given", "Listed", "ModelEntry", "Route"]
