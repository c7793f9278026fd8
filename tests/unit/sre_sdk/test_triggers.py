"""Triggers of a workflow, started with the request that came in over HTTP."""

import hmac
import json

import pytest

from sre_core.errors import SkillError
from sre_sdk import Agent, sync

SECRET = "app-secret"
MESSAGE = {"id": "wamid.1", "from": "4917", "type": "text", "text": {"body": "héllo"}}
VALUE = {"metadata": {"phone_number_id": "106"}, "messages": [MESSAGE]}
BODY = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": VALUE}]}]}


def document(name, **data):
    trigger = {
        "id": "T",
        "name": name,
        "data": {"triggerEndpoint": "event", **data},
        "inputs": [],
        "outputs": [{"name": "Payload", "default": True}, {"name": "Result", "default": True}],
    }
    answer = {
        "id": "OUT",
        "name": "APIOutput",
        "data": {"format": "minimal"},
        "inputs": [{"name": "got", "type": "Any"}],
        "outputs": [{"name": "Output", "default": True}],
    }
    link = {"sourceId": "T", "sourceIndex": 0, "targetId": "OUT", "targetIndex": 0}
    return {"id": "bot", "components": [trigger, answer], "connections": [link]}


def signed(raw):
    return {"X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), raw, 'sha256').hexdigest()}"}


async def test_a_message_that_meta_signed_starts_the_workflow(make_runtime):
    runtime, _ = make_runtime()
    raw = json.dumps(BODY, ensure_ascii=False).encode()
    async with runtime:
        agent = Agent.load(document("WhatsAppTrigger", clientSecret=SECRET), runtime=runtime)
        outcome = await agent.execute("event", BODY, headers=signed(raw), raw=raw)
        assert outcome.data["got"]["message"]["text"] == "héllo"
        assert outcome.data["got"]["message"]["phoneNumberId"] == "106"
        forged = await agent.execute("event", BODY, headers=signed(raw), raw=raw + b" ")
        (failure,) = forged.failures
        assert "signature" in str(failure)
        assert "héllo" not in str(forged.data)


@pytest.mark.parametrize("raw", [b'{"a":1}', b'{ "a": 1 }'])
def test_a_signed_web_hook_starts_the_workflow_without_asyncio_too(make_sync_runtime, raw):
    with make_sync_runtime() as runtime:
        agent = sync.Agent.load(document("WebhookTrigger", secret=SECRET), runtime=runtime)
        outcome = agent.execute("event", {"a": 1}, headers=signed(raw), raw=raw)
        assert outcome.data == {"got": {"a": 1}}


async def test_a_trigger_is_no_skill_and_the_error_says_how_it_runs(runtime):
    agent = Agent.load(document("WebhookTrigger"), runtime=runtime)
    with pytest.raises(SkillError, match="has no skill 'event'") as found:
        await agent.call("event", a=1)
    assert "it is a trigger" in found.value.hint
    assert "agent.execute('event', {…})" in found.value.hint
