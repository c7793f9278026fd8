"""The operator: whoever runs the command line here owns the secrets and may use the models."""

from sre_core.access.candidate import Candidate
from sre_core.access.resource import Resource
from sre_core.config import Config, load

__all__ = ["OPERATOR", "operator_config"]

OPERATOR = Candidate.user("operator")

_OWNED = ("vault", "llm")


def operator_config() -> Config:
    """The configuration from here, in which the operator owns every secret and model, in this process alone.

    Only the nearest ACL decides, so each configured path below those two needs the grant as well. Raises
    ConfigError.
    """
    grants = load().config.access
    paths = {path for path in grants if Resource.parse(path).parts[0] in _OWNED}
    owned = {path: {**grants.get(path, {}), str(OPERATOR): "own"} for path in paths | set(_OWNED)}
    return load(code={"access": owned}).config
