"""WhatsAppTrigger: messages that Meta signed, and Meta's check of the address.

The requests follow https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples and
https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hmac
import json
from typing import Any

import pytest

from sre_core.components.context import Request
from sre_core.components.node import Node
from sre_core.components.triggers.whatsapp import WhatsAppTrigger
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

SETTINGS = {"verifyToken": "{{KEY(verify)}}", "clientSecret": "{{KEY(app)}}", "webhookUrl": "https://a.example/hook"}
SECRETS = {"app": "app-secret", "verify": "verify-token"}
TEXT = {"from": "16315551181", "id": "wamid.1", "timestamp": "1669233778", "text": {"body": "hé"}, "type": "text"}
IMAGE = {"from": "16315551182", "id": "wamid.2", "timestamp": "1669233779", "type": "image", "image": {"id": "9"}}


def body(*messages: Any, **value: Any) -> dict:
    contacts = [{"profile": {"name": "Kerry"}, "wa_id": "16315551181"}]
    metadata = {"display_phone_number": "16505551111", "phone_number_id": "106540352242922"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "contacts": contacts, "messages": messages, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "8856996819413533", "changes": [{"value": value, "field": "messages"}]}],
    }


def post(content: Any, secret: str = "app-secret", **headers: str) -> Request:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    signature = "sha256=" + hmac.new(secret.encode(), raw, "sha256").hexdigest()
    return Request(headers={"X-Hub-Signature-256": signature, **headers}, raw=raw, body={"forged": True})


def ask(token: str = "verify-token", mode: str = "subscribe") -> Request:
    query = {"hub.mode": mode, "hub.challenge": "1158201444", "hub.verify_token": token}
    return Request(method="GET", query=query)


async def fire(request: Request, data: dict = SETTINGS) -> Any:
    async with bench(request=request, secrets=SECRETS) as place:
        return await place.run("WhatsAppTrigger", data)


async def handle(request: Request, data: dict = SETTINGS) -> Any:
    async with bench(secrets=SECRETS) as place:
        trigger = WhatsAppTrigger.of(Node(id="T", type="WhatsAppTrigger", data=data))
        assert isinstance(trigger, WhatsAppTrigger)
        return await trigger.handle(request, place.context)


async def test_a_message_is_the_payload():
    assert await fire(post(body(TEXT))) == {
        "Payload": {
            "message": {
                "id": "wamid.1",
                "from": "16315551181",
                "profileName": "Kerry",
                "text": "hé",
                "type": "text",
                "timestamp": "1669233778",
                "phoneNumberId": "106540352242922",
            }
        }
    }


async def test_all_messages_of_a_request_count():
    async with bench(request=post(body(TEXT, IMAGE)), secrets=SECRETS) as place:
        trigger = WhatsAppTrigger.of(Node(id="T", type="WhatsAppTrigger", data=SETTINGS))
        assert isinstance(trigger, WhatsAppTrigger)
        found = [payload["message"] for payload in await trigger.payloads({}, place.context)]
    assert [(message["id"], message["text"], message["profileName"]) for message in found] == [
        ("wamid.1", "hé", "Kerry"),
        ("wamid.2", "", ""),
    ]


@pytest.mark.parametrize(
    "content",
    [
        body(statuses=[{"id": "wamid.1", "status": "delivered"}]),
        {},
        [],
        {"entry": [1, {"changes": "x"}]},
        {"entry": None},
    ],
)
async def test_what_holds_no_message_starts_nothing(content):
    assert await fire(post(content)) == {}


@pytest.mark.parametrize(
    "request_",
    [
        post(body(TEXT), secret="other"),
        Request(raw=json.dumps(body(TEXT)).encode(), body=body(TEXT)),
        Request(raw=b"{}", headers={"X-Hub-Signature-256": "sha256="}),
        Request(raw=post(body(IMAGE)).raw, headers=post(body(TEXT)).headers),
    ],
)
async def test_what_meta_did_not_sign_is_refused_at_the_door_and_again_within(request_):
    with pytest.raises(ComponentError, match=r"signature|header"):
        await fire(request_)
    answer = await handle(request_)
    assert answer.status == 403
    assert "app-secret" not in answer.body


async def test_without_an_app_secret_nothing_is_taken():
    with pytest.raises(ComponentError, match="no app secret"):
        await fire(post(body(TEXT), secret=""), {"verifyToken": "x"})


async def test_the_app_secret_may_have_its_other_name():
    assert "Payload" in await fire(post(body(TEXT)), {"appSecret": "{{KEY(app)}}"})


async def test_a_signed_request_is_left_to_the_workflow():
    assert await handle(post(body(TEXT))) is None


async def test_a_signed_request_that_is_no_json_is_an_error():
    with pytest.raises(ComponentError, match="not JSON"):
        await fire(post(b"hello"))


async def test_metas_check_of_the_address_gets_its_challenge():
    answer = await handle(ask())
    assert (answer.status, answer.body) == (200, "1158201444")


@pytest.mark.parametrize("request_", [ask("wrong"), ask(""), ask(mode="unsubscribe"), Request(method="GET")])
async def test_another_check_does_not(request_):
    answer = await handle(request_)
    assert answer.status == 403
    assert "1158201444" not in answer.body
    assert "verify-token" not in answer.body


async def test_without_a_verify_token_no_check_passes():
    assert (await handle(ask(""), {"clientSecret": "x"})).status == 403


async def test_text_of_a_message_is_no_template():
    found = await fire(post(body({**TEXT, "text": {"body": "{{KEY(app)}}"}})))
    assert found["Payload"]["message"]["text"] == "{{KEY(app)}}"
