"""Calls of functions as Lambda answers them, which moto does not: errors, logs, new roles.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html,
https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from sre_aws.serverless.functions import Answer, Functions, Shape
from sre_aws.serverless.package import make_package
from sre_aws.settings import AwsSettings
from sre_core.errors import ConnectorError

KEY = "planted-secret-key"
SHAPE = Shape(runtime="nodejs22.x", timeout=30, memory=256, role="arn:aws:iam::123456789012:role/r")
PACKAGE = make_package("async function main() {}", {}, fixed={})


class Service:
    """Answers each request with what the test says for it, and keeps it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.answer: Callable[[str, str], web.Response] = lambda method, path: web.json_response({})
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.seen.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
        return self.answer(request.method, request.path)


@pytest.fixture
async def service():
    found = Service()
    runner = web.ServerRunner(web.Server(found.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield found
    await runner.cleanup()


def functions(service: Service) -> Functions:
    key = {"access_key_id": SecretStr("AKIAIOSFODNN7EXAMPLE"), "secret_access_key": SecretStr(KEY)}
    return Functions(AwsSettings(url=service.url, region="eu-west-1", retries=0, **key))


def error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"Message": message}, status=status, headers={"x-amzn-ErrorType": code})


async def test_the_request_is_what_the_documentation_says(service):
    log = base64.b64encode("START\nhé\n".encode()).decode()
    service.answer = lambda *_: web.json_response({"result": 1}, headers={"X-Amz-Log-Result": log})
    async with functions(service) as opened:
        assert await opened.call("f", b'{"inputs": {}}') == Answer(value={"result": 1}, log="START\nhé\n")
    ((method, path, body, headers),) = service.seen
    assert (method, path, body) == ("POST", "/2015-03-31/functions/f/invocations", b'{"inputs": {}}')
    assert headers["X-Amz-Log-Type"] == "Tail"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/")
    assert KEY not in str(headers)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"errorType": "TypeError", "errorMessage": "no é", "trace": ["TypeError: no"]}, "TypeError: no é"),
        ({"errorMessage": "2026-01-01 f Task timed out after 3.00 seconds"}, "Error: 2026-01-01 f Task timed out"),
        ("odd", "the function failed: odd"),
    ],
)
async def test_what_the_code_throws_is_its_error(service, payload, said):
    service.answer = lambda *_: web.json_response(payload, headers={"X-Amz-Function-Error": "Unhandled"})
    async with functions(service) as opened:
        assert (await opened.call("f", b"{}")).error.startswith(said)


async def test_a_reply_that_is_no_json_is_an_error(service):
    service.answer = lambda *_: web.Response(body=b"<html>")
    async with functions(service) as opened:
        with pytest.raises(ConnectorError, match="not JSON"):
            await opened.call("f", b"{}")


async def test_a_call_is_never_sent_twice(service):
    service.answer = lambda *_: error(503, "ServiceException", "later")
    async with functions(service) as opened:
        with pytest.raises(ConnectorError):
            await opened.call("f", b"{}")
    assert len(service.seen) == 1


async def test_a_role_that_lambda_does_not_know_yet_is_waited_for(service):
    """As AWS answers for some seconds after a role was made."""
    refused = [True]

    def answer(method: str, path: str) -> web.Response:
        if method == "POST":
            if refused.pop() if refused else False:
                message = "The role defined for the function cannot be assumed by Lambda."
                return error(400, "InvalidParameterValueException", message)
            return web.json_response({"FunctionName": "f", "State": "Pending"}, status=201)
        created = any(request[0] == "POST" for request in service.seen)
        if not created:
            return error(404, "ResourceNotFoundException", "Function not found")
        return web.json_response({"Configuration": {"FunctionName": "f", "State": "Active"}})

    service.answer = answer
    async with functions(service) as opened:
        await opened.deploy("f", PACKAGE, SHAPE)
    posted: list[Any] = [json.loads(body) for method, _, body, _ in service.seen if method == "POST"]
    assert len(posted) == 2
    assert posted[0] == posted[1]
    assert base64.b64decode(posted[0]["Code"]["ZipFile"]) == PACKAGE.zip_file
    assert posted[0]["Tags"] == {"sre-code": PACKAGE.digest}


async def test_what_else_lambda_refuses_is_told_at_once(service):
    def answer(method: str, path: str) -> web.Response:
        if method == "GET":
            return error(404, "ResourceNotFoundException", "Function not found")
        return error(400, "InvalidParameterValueException", "The runtime parameter of nodejs1 is no longer supported")

    service.answer = answer
    async with functions(service) as opened:
        with pytest.raises(ConnectorError):
            await opened.deploy("f", PACKAGE, SHAPE)
    assert [method for method, *_ in service.seen] == ["GET", "POST"]
