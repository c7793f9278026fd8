"""The component ServerlessCode."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, SecretStr
from pydantic_core import to_json

from sre_aws.settings import AwsSettings
from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.components.template import expand, read_secret
from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError

__all__ = ["ServerlessCode", "ServerlessCodeSettings"]

_LARGEST = 6 * 2**20
"""Bytes that Lambda takes as the input of a call."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 54
"""Characters of a function's name; AWS takes 64, and the name of its role has more around it."""


class ServerlessCodeSettings(ComponentSettings):
    """The code, where it runs, and as whom."""

    code: str = Field("", max_length=500_000, description="JavaScript with a function main at its top.")
    code_imports: str = Field(
        "", alias="code_imports", max_length=1000, description="Imports of old files, put before their main."
    )
    code_body: str = Field(
        "", alias="code_body", max_length=500_000, description="In old files, what stands between the braces of main."
    )
    use_own_keys: bool = Field(
        default=False, alias="use_own_keys", description="Use the keys below; else what the environment says."
    )
    access_key_id: str = Field("", description="Which key of AWS, such as {{KEY(aws_key_id)}}.")
    secret_access_key: str = Field("", description="The key itself, such as {{KEY(aws_secret)}}.")
    region: str = Field("", description="Such as eu-central-1; what the environment says if empty.")
    role: str = Field("", description="ARN of the role that the function has; if empty, one is made for it.")
    runtime: str = Field("nodejs22.x", description="Node.js of the function, as Lambda names it.")
    timeout: int = Field(900, ge=1, le=900, description="Seconds that the function may run.")
    memory_limit: int = Field(256, ge=128, le=10_240, description="Memory of the function, in MiB.")


class ServerlessCode(Component):
    """Runs JavaScript as a function of AWS Lambda: deploys it when it has changed, calls it, and gives its result.

    Each parameter of `main` takes the input of its name, as in ECMASandbox; what it returns goes to `Output`, the end
    of its log to `_debug`. `{{KEY(name)}}` in the code is the secret, as a variable of the function's environment.

    Unlike in SmythOS no package is installed, on no machine: imports that Node.js does not have built in are refused.
    Whether code has changed is told by a tag of the function, and nothing waits for a fixed time.
    """

    name = "ServerlessCode"
    settings_type = ServerlessCodeSettings
    settings: ServerlessCodeSettings
    outputs = (OutputPort(name="Output", default=True),)
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Deploy if need be, and call once. Raises ComponentError, ConfigError and ConnectorError."""
        event = _event(inputs)
        settings = self.settings
        if not (settings.code or settings.code_body).strip():
            raise ComponentError("there is no code", hint="write a function main in the setting 'code'")
        await import_drivers("sre_aws.serverless.functions")
        from sre_aws.serverless.functions import Functions, Shape
        from sre_aws.serverless.package import make_package, old_program, secret_names

        names = [port.name for port in self.node.inputs]
        code = settings.code or old_program(settings.code_imports, settings.code_body, names)
        secrets = {name: await read_secret(name, context) for name in secret_names(code)}
        shape = Shape(
            runtime=settings.runtime, timeout=settings.timeout, memory=settings.memory_limit, role=settings.role
        )
        fixed = {"runtime": shape.runtime, "timeout": shape.timeout, "memory": shape.memory}
        package = make_package(code, secrets, fixed=fixed)
        name = _function_name(context.agent.id, self.node.id)
        async with Functions(await self._account(context)) as functions:
            # Lambda refuses a second change while one is being made.
            async with context.host.http.lock(f"aws-lambda/{settings.region}/{name}"):
                await functions.deploy(name, package, shape)
            answer = await functions.call(name, event)
        found: dict[str, Any] = {"_debug": answer.log} if answer.log else {}
        if answer.error:
            return {**found, "_error": answer.error}
        if isinstance(answer.value, Mapping) and "result" in answer.value:
            found["Output"] = answer.value["result"]
        return found

    async def _account(self, context: ComponentContext) -> AwsSettings:
        settings = self.settings
        # A call that was tried again could run the code twice; and a reply takes as long as the code does.
        usual: dict[str, Any] = {"region": settings.region or None, "retries": 0, "timeout": settings.timeout + 60.0}
        if not settings.use_own_keys:
            return AwsSettings(**usual)
        key_id = await expand(settings.access_key_id, {}, context, node=self.node, missing="empty")
        key = await expand(settings.secret_access_key, {}, context, node=self.node, missing="empty")
        if not (key_id and key):
            raise ComponentError(
                "use_own_keys is set, and there are no keys", hint="set accessKeyId and secretAccessKey"
            )
        return AwsSettings(access_key_id=SecretStr(key_id), secret_access_key=SecretStr(key), **usual)


def _event(inputs: Mapping[str, Any]) -> bytes:
    try:
        event = to_json({"inputs": dict(inputs)}, inf_nan_mode="null", bytes_mode="base64")
    except ValueError as error:
        raise ComponentError("an input has no form in JSON", hint="give text, numbers, lists and objects") from error
    if len(event) > _LARGEST:
        raise ComponentError(
            f"the inputs have {len(event)} bytes; Lambda takes {_LARGEST}", hint="pass the address of a file instead"
        )
    return event


def _function_name(agent: str, node: str) -> str:
    """One name for each node; with a digest where AWS would not take it, or another node could have it too."""
    plain = f"{agent}-{node}"
    legal = _ILLEGAL.sub("-", plain)
    if legal == plain and "-" not in node and len(plain) <= _LONGEST:
        return plain
    return f"{legal[: _LONGEST - 13]}-{hashlib.sha256(to_json([agent, node])).hexdigest()[:12]}"
