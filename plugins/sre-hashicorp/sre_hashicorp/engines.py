"""The verbs of a vault in KV version 1 and 2, as calls of hvac. This module imports it; only `start` leads here."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any

from hvac.api.secrets_engines import KvV1, KvV2  # type: ignore[import-untyped]

from sre_hashicorp.adapter import AsyncAdapter
from sre_hashicorp.replies import Reply

__all__ = ["Engine", "engine"]


class Engine(ABC):
    """One mounted KV engine. Paths lie below the mount."""

    @abstractmethod
    def read(self, path: str) -> Awaitable[Reply]:
        """Ask for a secret."""

    @abstractmethod
    def write(self, path: str, data: dict[str, str]) -> Awaitable[Reply]:
        """Keep a secret."""

    @abstractmethod
    def delete(self, path: str) -> Awaitable[Reply]:
        """Forget a secret, with all that is kept of it."""

    @abstractmethod
    def list(self, path: str) -> Awaitable[Reply]:
        """Ask what is in a folder."""

    @abstractmethod
    def found(self, body: dict[str, Any]) -> Any:
        """The entries of the secret in the reply to `read`."""


class _Version1(Engine):
    def __init__(self, adapter: AsyncAdapter, mount: str) -> None:
        self._api = KvV1(adapter)
        self._mount = mount

    def read(self, path: str) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.read_secret(path, mount_point=self._mount)
        return reply

    def write(self, path: str, data: dict[str, str]) -> Awaitable[Reply]:
        # With the method named, hvac does not ask first whether the secret exists: the server takes both for the same.
        reply: Awaitable[Reply] = self._api.create_or_update_secret(
            path, secret=data, method="POST", mount_point=self._mount
        )
        return reply

    def delete(self, path: str) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.delete_secret(path, mount_point=self._mount)
        return reply

    def list(self, path: str) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.list_secrets(path, mount_point=self._mount)
        return reply

    def found(self, body: dict[str, Any]) -> Any:
        return body.get("data")


class _Version2(Engine):
    def __init__(self, adapter: AsyncAdapter, mount: str) -> None:
        self._api = KvV2(adapter)
        self._mount = mount

    def read(self, path: str) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.read_secret_version(
            path, mount_point=self._mount, raise_on_deleted_version=True
        )
        return reply

    def write(self, path: str, data: dict[str, str]) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.create_or_update_secret(path, secret=data, mount_point=self._mount)
        return reply

    def delete(self, path: str) -> Awaitable[Reply]:
        # Anything less would leave the secret readable for who asks for an older version.
        reply: Awaitable[Reply] = self._api.delete_metadata_and_all_versions(path, mount_point=self._mount)
        return reply

    def list(self, path: str) -> Awaitable[Reply]:
        reply: Awaitable[Reply] = self._api.list_secrets(path, mount_point=self._mount)
        return reply

    def found(self, body: dict[str, Any]) -> Any:
        data = body.get("data")
        return data.get("data") if isinstance(data, dict) else None


def engine(version: int, adapter: AsyncAdapter, mount: str) -> Engine:
    """The engine of that version, 1 or 2."""
    return _Version1(adapter, mount) if version == 1 else _Version2(adapter, mount)
