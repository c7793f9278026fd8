"""The operator: whoever runs the command line here owns the secrets and may use the models."""

from collections.abc import Iterable

from sre_core.access.candidate import Candidate
from sre_core.access.resource import Resource
from sre_core.config import Config, load

__all__ = ["OPERATOR", "operator_config"]

OPERATOR = Candidate.user("operator")

_OWNED = ("vault", "llm")


def operator_config(vault_id: str = "default", *, also: Iterable[str] = (), stored_acls: bool = True) -> Config:
    """The configuration from here, in which the operator owns every secret and model, in this process alone.

    `vault_id` is the vault that is asked for, configured or not; `also` are other things to own, as "storage". Only
    the nearest ACL decides, so each configured path below these needs the grant as well. Without `stored_acls` there
    are only the configured ones: the storage that keeps the others may itself wait for a secret that the operator is
    about to set. Raises ConfigError.
    """
    config = load().config
    grants = config.access
    paths = {path for path in grants if Resource.parse(path).parts[0].partition("@")[0] in _OWNED}
    vaults = {f"vault@{id_}" for id_ in (*config.connectors["vault"], vault_id) if id_ != "default"}
    everything = paths | vaults | set(_OWNED) | set(also)
    owned = {path: {**grants.get(path, {}), str(OPERATOR): "own"} for path in everything}
    code: dict[str, object] = {"access": owned}
    if not stored_acls:
        code["connectors"] = {"storage": {"default": {"use": "memory"}}}
    return load(code=code).config
