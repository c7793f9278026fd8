"""Functions of AWS Lambda: made when they are missing, changed when their code did, and called."""

import base64
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from sre_aws.errors import FOREIGN, error_code, translate
from sre_aws.serverless.package import Package
from sre_aws.session import AwsClient
from sre_aws.settings import AwsSettings
from sre_core.errors import ConnectorError, NotFoundError

__all__ = ["Answer", "Functions", "Shape"]

_TAG = "sre-code"
_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
_WAIT = {"Delay": 1, "MaxAttempts": 120}
_ROLE_READY = 60.0
"""Seconds within which Lambda knows a new role, which takes about ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a function is made with, besides its code. `role` is an ARN; an empty one means a role of its own."""

    runtime: str
    timeout: int
    memory: int
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call gave: a `value`, which may hold a result, or an `error` of the code."""

    value: Any = None
    error: str = ""
    log: str = ""


class Functions:
    """The functions of one account and region."""

    def __init__(self, settings: AwsSettings) -> None:
        """Opens nothing."""
        self._lambda = AwsClient("lambda", settings)
        self._iam = AwsClient("iam", settings)

    async def __aenter__(self) -> Self:
        """Find credentials and region. Raises ConfigError, UnauthenticatedError."""
        try:
            await self._lambda.open()
            await self._iam.open()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._lambda.close()
        await self._iam.close()

    async def deploy(self, name: str, package: Package, shape: Shape) -> None:
        """Make the function what the package says. The tag that tells so comes last: what broke off is done again."""
        what = f"deploying function {name!r}"
        try:
            found = await self._lambda.call("get_function", what, FunctionName=name)
        except NotFoundError:
            await self._create(name, package, shape, what)
            return
        if found.get("Tags", {}).get(_TAG) == package.digest:
            # Another process may have made it a moment ago.
            if found["Configuration"].get("State") == "Pending":
                await self._wait("function_active_v2", name, what)
            return
        await self._lambda.call("update_function_code", what, FunctionName=name, ZipFile=package.zip_file)
        await self._wait("function_updated_v2", name, what)
        await self._lambda.call("update_function_configuration", what, FunctionName=name, **_made_with(package, shape))
        await self._wait("function_updated_v2", name, what)
        arn = found["Configuration"]["FunctionArn"]
        await self._lambda.call("tag_resource", what, Resource=arn, Tags={_TAG: package.digest})

    async def call(self, name: str, event: bytes) -> Answer:
        """Call the function once, and wait for what it gives."""
        what = f"calling function {name!r}"
        reply = await self._lambda.call("invoke", what, FunctionName=name, Payload=event, LogType="Tail")
        try:
            async with reply["Payload"] as body:
                payload = await body.read()
        except FOREIGN as error:
            raise translate(error, what, at=self._lambda.at) from error
        log = base64.b64decode(reply.get("LogResult") or "").decode(errors="replace")
        try:
            value = json.loads(payload or b"null")
        except ValueError as error:
            raise ConnectorError(f"{what}: the reply is not JSON", hint="check the function at AWS") from error
        if reply.get("FunctionError"):
            return Answer(error=_told(value), log=log)
        return Answer(value=value, log=log)

    async def _create(self, name: str, package: Package, shape: Shape, what: str) -> None:
        role = shape.role or await self._own_role(name, what)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_is_role_unknown),
            stop=stop_after_delay(_ROLE_READY),
            wait=wait_exponential(min=0.5, max=5),
            reraise=True,
        ):
            with attempt:
                await self._lambda.call(
                    "create_function",
                    what,
                    FunctionName=name,
                    Role=role,
                    Code={"ZipFile": package.zip_file},
                    Tags={_TAG: package.digest},
                    **_made_with(package, shape),
                )
        await self._wait("function_active_v2", name, what)

    async def _own_role(self, name: str, what: str) -> str:
        """The ARN of a role that may write logs and nothing else."""
        role = f"sre-{name}-role"[:64]
        try:
            found = await self._iam.call("get_role", what, RoleName=role)
        except ConnectorError as error:
            if error_code(error.__cause__) != "NoSuchEntity":
                raise
            found = await self._iam.call(
                "create_role", what, RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST)
            )
        # Also for a role that is there: who made it may have come no further.
        await self._iam.call("attach_role_policy", what, RoleName=role, PolicyArn=_POLICY)
        arn: str = found["Role"]["Arn"]
        return arn

    async def _wait(self, waiter: str, name: str, what: str) -> None:
        try:
            await self._lambda.driver.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=_WAIT)
        except FOREIGN as error:
            raise translate(error, what, at=self._lambda.at) from error


def _made_with(package: Package, shape: Shape) -> dict[str, Any]:
    return {
        "Runtime": shape.runtime,
        "Handler": "index.handler",
        "Timeout": shape.timeout,
        "MemorySize": shape.memory,
        "Environment": {"Variables": dict(package.environment)},
    }


def _is_role_unknown(error: BaseException) -> bool:
    cause = error.__cause__
    return error_code(cause) == "InvalidParameterValueException" and "cannot be assumed by Lambda" in str(cause)


def _told(value: Any) -> str:
    """The type and the message of what the code threw."""
    if not isinstance(value, dict):
        return f"the function failed: {value}"[:2000]
    kind, message = value.get("errorType") or "Error", value.get("errorMessage") or ""
    return f"{kind}: {message}"[:2000]
