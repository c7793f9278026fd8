"""Components: the types of nodes that workflows are made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import ComponentError

__all__ = ["Component", "ComponentSettings", "Flaw"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one setting of a node.

    `setting` is its name as files have it, `maxTokens`, or "" where it is none alone. `hint` is the next step, where
    there is one to name.
    """

    message: str
    setting: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """The message, with the hint."""
        return f"{self.message}; {self.hint}" if self.hint else self.message

    @classmethod
    def raised_by(cls, look: Callable[[], object], setting: str = "") -> "list[Flaw]":
        """The flaw that `look` tells of, which raises ComponentError; none where it raises nothing."""
        try:
            look()
        except ComponentError as error:
            return [cls(error.message, setting, error.hint or "")]
        return []


class ComponentSettings(BaseModel):
    """What the `data` of a node holds, read by name or by its name in workflow files, `maxTokens` for `max_tokens`.

    As files have it: unknown keys are ignored, numbers may be text, and an empty text is no value at all where the
    field is not text itself.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty_values(cls, data: Any) -> Any:
        """Editors write "" for what was left empty, and null for what was never touched."""
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None and value != ""}


class Component(ABC):
    """One type of node. A subclass holds what is the same for all nodes of the type; an instance belongs to one node.

    `name` is the type as files have it. `inputs` and `outputs` are the ports that every node of the type has;
    `open_inputs` and `open_outputs` say whether an author may add more; `waits_for_jobs` that a debugger must let jobs
    go on while it runs. An instance keeps nothing between runs, and may run many times at once.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    settings_type: ClassVar[type[ComponentSettings]] = ComponentSettings
    inputs: ClassVar[tuple[InputPort, ...]] = ()
    outputs: ClassVar[tuple[OutputPort, ...]] = ()
    open_inputs: ClassVar[bool] = False
    open_outputs: ClassVar[bool] = False
    waits_for_jobs: ClassVar[bool] = False

    def __init__(self, node: Node, settings: ComponentSettings) -> None:
        """No I/O here. `settings` is a `settings_type`."""
        self.node = node
        self.settings = settings

    @classmethod
    def of(cls, node: Node) -> "Component":
        """The component for `node`. Raises pydantic.ValidationError for settings that cannot be."""
        return cls(node, cls.settings_type.model_validate(dict(node.data)))

    @abstractmethod
    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Turn inputs into outputs, by the names of their ports.

        An output that is absent does not fire its links; one that is None, False, 0 or "" does. What is raised
        becomes the output `_error`, which a link may take elsewhere; a component that failed but has something to
        give returns `_error`, a text, beside it. Raise ComponentError for what the author or the caller can mend.
        """

    def check(self) -> Iterable[str | Flaw]:
        """What is wrong with the node beyond the types of its settings; empty when nothing is. Does no I/O.

        A text is about the node as a whole, a Flaw about one of its settings. Neither repeats what may be a secret.
        """
        return ()

    def present(self, outputs: Mapping[str, Any], envelope: Mapping[str, Any]) -> Any:
        """What a run returns for this node when it is a result: by default the envelope, `{id, name, result}`."""
        return envelope
