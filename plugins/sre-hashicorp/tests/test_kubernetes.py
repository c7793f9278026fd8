"""Logging in from a pod: OpenBao is real, the API server of Kubernetes that it asks is not."""

import asyncio

import pytest

from sre_core.errors import ConfigError, UnauthenticatedError

from .kubernetes_api import KubernetesApi  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module")
def mounted(shared_bao):
    shared_bao.client.sys.enable_auth_method("kubernetes")
    shared_bao.client.secrets.kv.v2.create_or_update_secret("pods/one", {"value": "secret"})
    return shared_bao


@pytest.fixture
async def api(mounted, authority):
    """An API server, known to OpenBao."""
    async with KubernetesApi.running() as api:
        login = mounted.client.auth.kubernetes
        options = {
            "kubernetes_host": api.url,
            "kubernetes_ca_cert": authority.ca_file.read_text(),
            "token_reviewer_jwt": api.token("vault"),
        }
        await asyncio.to_thread(lambda: login.configure(**options, disable_local_ca_jwt=True))
        await asyncio.to_thread(
            lambda: login.create_role(
                "agents",
                bound_service_account_names=["agents"],
                bound_service_account_namespaces=["default"],
                policies=["secrets"],
                ttl="1h",
            )
        )
        yield api


async def read(connector):
    return (await connector.get("pods/one")).get_secret_value()


async def test_a_pod_logs_in_with_the_token_of_its_service_account(mounted, api, started, tmp_path):
    file = tmp_path / "token"
    file.write_text(api.token("agents"))
    connector = await started(mounted.vault(kubernetes_role="agents", jwt_file=file))
    assert await read(connector) == "secret"


async def test_the_file_is_read_anew_for_each_login(mounted, api, started, tmp_path):
    file = tmp_path / "token"
    first = api.token("agents")
    file.write_text(first)
    connector = await started(mounted.vault(kubernetes_role="agents", jwt_file=file))
    api.take_back(first)
    file.write_text(api.token("agents"))
    tokens = await asyncio.to_thread(mounted.tokens_of, "agents")
    assert tokens
    for accessor in tokens:
        mounted.client.auth.token.revoke_accessor(accessor)
    assert await read(connector) == "secret"


@pytest.mark.parametrize("account", ["strangers", None])
async def test_another_account_or_a_made_up_token_is_refused(mounted, api, started, tmp_path, account):
    file = tmp_path / "token"
    token = api.token(account or "agents")
    if account is None:
        api.take_back(token)
    file.write_text(token)
    with pytest.raises(UnauthenticatedError, match="refused the login") as raised:
        await started(mounted.vault(kubernetes_role="agents", jwt_file=file))
    assert token not in f"{raised.value} {raised.value.hint}"


async def test_outside_a_pod_the_missing_file_is_named(mounted, started):
    with pytest.raises(ConfigError, match="serviceaccount/token"):
        await started(mounted.vault(kubernetes_role="agents"))
