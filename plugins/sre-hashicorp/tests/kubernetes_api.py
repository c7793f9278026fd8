"""As much of a Kubernetes API server as OpenBao asks: it tells whose a service account's token is."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

__all__ = ["KubernetesApi"]

_NAMESPACE = "default"


class KubernetesApi:
    """Answers TokenReviews, for the tokens that it made, and that were not taken back."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._accounts: dict[str, str] = {}
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def running(cls) -> "AsyncIterator[KubernetesApi]":
        """A server on loopback, while the block lasts."""
        api = cls()
        application = web.Application()
        application.router.add_post("/apis/authentication.k8s.io/v1/tokenreviews", api._review)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield api
        finally:
            await runner.cleanup()

    def token(self, account: str) -> str:
        """A new token of a service account, as a pod finds it in its file."""
        claims = {
            "iss": "https://kubernetes.default.svc",
            "sub": f"system:serviceaccount:{_NAMESPACE}:{account}",
            "nbf": int(time.time()) - 60,
            "exp": int(time.time()) + 3600,
            "nonce": len(self._accounts),
            "kubernetes.io": {
                "namespace": _NAMESPACE,
                "serviceaccount": {"name": account, "uid": f"uid-of-{account}"},
            },
        }
        signed = f"{_encoded({'alg': 'ES256', 'typ': 'JWT'})}.{_encoded(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        token = f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
        self._accounts[token] = account
        return token

    def take_back(self, token: str) -> None:
        """Whoever shows it is nobody from now on."""
        del self._accounts[token]

    async def _review(self, request: web.Request) -> web.Response:
        review = await request.json()
        account = self._accounts.get(review["spec"]["token"])
        status: dict[str, object] = {"authenticated": account is not None}
        if account is not None:
            status["user"] = {
                "username": f"system:serviceaccount:{_NAMESPACE}:{account}",
                "uid": f"uid-of-{account}",
                "groups": ["system:serviceaccounts", "system:authenticated"],
            }
        return web.json_response(
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}, status=201
        )


def _encoded(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
