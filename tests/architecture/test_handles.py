"""What a plugin can write, a user can call: every method of a connector has its twin on the handle."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from inspect import Parameter

import pytest

from sre_core import connectors
from sre_core.connectors import Connector, Handle

# A connector sees the whole key; a handle, whose home is the front of it, the path below.
RENAMED = {"key": "path"}


def kinds(base: type) -> dict[str, type]:
    found = [kind for kind in vars(connectors).values() if isinstance(kind, type) and kind.__base__ is base]
    return {kind.service.value: kind for kind in found}


def verbs(kind: type) -> Iterator[tuple[str, inspect.Signature]]:
    """The methods that plugins write: abstract ones, and those that only say "unsupported" by default."""
    for name, method in vars(kind).items():
        if not inspect.isfunction(method) or name.startswith("_"):
            continue
        if getattr(method, "__isabstractmethod__", False) or is_unsupported(method):
            yield name, inspect.signature(method)


def is_unsupported(method: object) -> bool:
    function = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    last = function.body[-1]
    return isinstance(last, ast.Raise) and "self.unsupported(" in ast.unparse(last)


VERBS = [(service, name, signature) for service, kind in kinds(Connector).items() for name, signature in verbs(kind)]


def test_every_service_has_a_connector_and_a_handle():
    services = {service.value for service in connectors.Service}
    assert set(kinds(Connector)) == set(kinds(Handle)) == services
    assert {service for service, _, _ in VERBS} == services


@pytest.mark.parametrize(("service", "name", "signature"), VERBS, ids=[f"{s}-{n}" for s, n, _ in VERBS])
def test_a_method_of_a_connector_has_its_twin_on_the_handle(service, name, signature):
    handle = kinds(Handle)[service]
    twin = getattr(handle, name, None)
    assert twin is not None, f"{handle.__name__} has no {name!r}"
    theirs = inspect.signature(twin).parameters
    for position, (word, parameter) in enumerate(signature.parameters.items()):
        same = next((theirs[other] for other in (word, RENAMED.get(word)) if other in theirs), None)
        assert same is not None, f"{handle.__name__}.{name} has no parameter {word!r}"
        if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD:
            assert list(theirs).index(same.name) == position, f"{word!r} is in another place"
        else:
            assert same.kind is Parameter.KEYWORD_ONLY
        assert parameter.default is Parameter.empty or same.default is not Parameter.empty
