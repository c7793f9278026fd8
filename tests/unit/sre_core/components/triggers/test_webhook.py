"""WebhookTrigger: the body as the payload, and only of those who know the secret."""

import hmac

import pytest

from sre_core.components.context import Request
from sre_core.components.node import Node
from sre_core.components.triggers.webhook import WebhookTrigger
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.testing.bench import bench

RAW = b'{"a": "\xc3\xa9"}'
BODY = {"a": "é"}
SIGNED = {"secret": "{{KEY(hook)}}"}


def request(signature: str | None = None, **more) -> Request:
    headers = {} if signature is None else {"x-hub-signature-256": signature}
    return Request(headers=headers, **{"body": BODY, "raw": RAW, **more})


def sign(raw: bytes = RAW, secret: str = "s3cret") -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, "sha256").hexdigest()


async def fire(asked: Request, data: dict) -> object:
    async with bench(request=asked, secrets={"hook": "s3cret"}) as place:
        return await place.run("WebhookTrigger", data)


async def test_the_body_is_the_payload():
    assert await fire(request(), {}) == {"Payload": BODY}
    assert await fire(request(method="GET", query={"q": "1"}), {}) == {"Payload": {"q": "1"}}


async def test_a_signed_request_is_taken():
    assert await fire(request(sign()), SIGNED) == {"Payload": BODY}


async def test_the_payload_is_what_was_signed_and_nothing_beside_it():
    assert await fire(request(sign(), body={"evil": 1}), SIGNED) == {"Payload": BODY}
    for raw, payload in ((b"", {}), (b"a=1&b=%C3%A9", {"a": "1", "b": "é"}), (b"[1]", {"body": [1]})):
        assert await fire(request(sign(raw), raw=raw, body={"evil": 1}), SIGNED) == {"Payload": payload}


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request("sha256=00"),
        request(sign(secret="other")),
        request(sign(), raw=RAW + b" "),
        request(sign(b""), method="GET", raw=b"", query={"a": "1"}),
    ],
)
async def test_what_is_not_signed_is_refused_at_the_door_and_again_within(asked):
    with pytest.raises(ComponentError):
        await fire(asked, SIGNED)
    async with bench(secrets={"hook": "s3cret"}) as place:
        trigger = WebhookTrigger.of(Node(id="T", type="WebhookTrigger", data=SIGNED))
        assert isinstance(trigger, WebhookTrigger)
        answer = await trigger.handle(asked, place.context)
        assert answer is not None
        assert answer.status == 403
        assert "s3cret" not in answer.body
        assert await trigger.handle(request(sign()), place.context) is None


async def test_a_secret_that_is_missing_opens_nothing():
    with pytest.raises(AccessDeniedError):
        await fire(request(sign()), {"secret": "{{KEY(absent)}}"})
    with pytest.raises(ComponentError, match="no secret"):
        await fire(request(sign(secret="")), {"secret": "{{nothing}}"})


async def test_a_placeholder_in_the_body_names_no_secret():
    body = {"a": "{{KEY(hook)}}"}
    assert await fire(request(body=body), {}) == {"Payload": body}
