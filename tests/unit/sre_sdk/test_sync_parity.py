"""The sync face has the methods and the parameters of the async one."""

import inspect

import pytest

import sre_sdk
from sre_core.workflows.debug import Debugger
from sre_sdk import sync

PAIRS = [(sre_sdk.Agent, sync.Agent), (sre_sdk.Chat, sync.Chat), (Debugger, sync.Debugger)]

# What has no meaning on the other side, and why.
ONLY_ASYNC = {
    sre_sdk.Agent: {
        *("storage", "cache", "vectors", "vault", "llm", "runtime"),  # handles are async: SyncRuntime.call
        *("prompt_sync", "sync"),  # the way here
        *("candidate", "team", "model", "behavior", "limits", "is_attached"),  # read from `.agent`
        *("make_prompt", "chat_lock", "skills_in", "as_sub_agent"),  # used by the SDK itself
    },
    sre_sdk.Chat: set(),
    Debugger: {"before", "after"},  # the engine calls these
}
ONLY_SYNC = {
    sync.Agent: {"agent", "of", "stream"},  # a Run streams on the async side
    sync.Chat: {"stream"},
    sync.Debugger: {"steps"},  # on the async side an attribute of each session
}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_both_faces_have_the_same_members(one, other):
    fields = {"id", "is_stored"} if one is sre_sdk.Chat else set()
    assert public(one) - ONLY_ASYNC[one] - fields == public(other) - ONLY_SYNC[other] - fields


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_both_faces_take_the_same_parameters(one, other):
    shared = (public(one) & public(other)) - {"attached"}
    compared = [name for name in shared if callable(getattr(one, name))]
    assert len(compared) >= 4
    for name in compared:
        assert _parameters(getattr(one, name)) == _parameters(getattr(other, name)), name


def test_constructors_stream_and_prompt_sync_take_the_same_parameters():
    assert _parameters(sre_sdk.Agent.__init__) == _parameters(sync.Agent.__init__)
    for kind in (sync.Agent, sync.Chat):
        assert _parameters(kind.stream) == _parameters(kind.prompt)
    assert _parameters(sre_sdk.Agent.prompt_sync) == _parameters(sre_sdk.Agent.prompt)
    assert _parameters(sre_sdk.Chat.prompt) == _parameters(sre_sdk.Agent.prompt)


def test_the_runtimes_take_the_same_parameters():
    assert _parameters(sre_sdk.Runtime.__init__) == _parameters(sync.SyncRuntime.__init__)


def _parameters(function) -> list[tuple[str, object, object]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
