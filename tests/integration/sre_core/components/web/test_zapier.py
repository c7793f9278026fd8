"""An action of Zapier: the request as its documentation says, and what becomes of the reply.

The replies follow https://nla.zapier.com/docs/using-the-api and the schema ExecuteResponse of the API's own document.
"""

import json

import pytest
from aiohttp import web
from pydantic import ValidationError

from sre_core.access.candidate import Candidate
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.components.web.zapier import ZapierAction
from sre_core.errors import AccessDeniedError, ComponentError, SREError, UnauthenticatedError
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

KEY = "sk-ak-0123"
DATA = {"actionName": "Slack: Send Message", "actionId": "01ABC", "apiKey": "{{KEY(zapier)}}"}
REPLY = {
    "id": "log-1",
    "action_used": "Slack: Send Message",
    "input_params": {"channel": "#news"},
    "review_url": "https://actions.zapier.com/execution/log-1/",
    "result": {"text": "sent"},
    "additional_results": [],
    "status": "success",
    "error": None,
}


@pytest.fixture
async def zapier(monkeypatch):
    answers = [REPLY]
    async with local_service(lambda _: answers[0]) as service:
        monkeypatch.setattr(ZapierAction, "base_url", service.url)
        yield service, answers


async def act(data=None, inputs=None, **kwargs):
    async with bench(secrets={"zapier": KEY}, **kwargs) as place:
        return await place.run("ZapierAction", {**DATA, **(data or {})}, inputs=inputs or {})


async def test_the_request_is_what_the_documentation_says(zapier):
    service, _ = zapier
    outputs = await act(inputs={"instructions": "Say hello", "channel": "#news", "missing": None})
    (received,) = service.received
    assert (received.method, received.target) == ("POST", "/api/v1/exposed/01ABC/execute/")
    assert received.headers["x-api-key"] == KEY
    assert json.loads(received.body) == {"instructions": "Say hello", "channel": "#news"}
    assert outputs == {"Output": REPLY}


async def test_the_key_is_in_a_header_alone(zapier):
    service, _ = zapier
    await act()
    assert KEY not in service.received[0].target + service.received[0].body.decode()


async def test_without_instructions_the_name_of_the_action_is_one(zapier):
    service, _ = zapier
    await act()
    assert json.loads(service.received[0].body) == {"instructions": "Slack: Send Message"}


async def test_params_are_sent_with_placeholders_filled_and_inputs_win(zapier):
    service, _ = zapier
    params = '{"text": "For {{who}}", "channel": "#old", "count": 2, "subject": "str"}'
    await act({"params": params}, {"who": 'Ann "A"', "channel": "#new"})
    assert json.loads(service.received[0].body) == {
        "instructions": "Slack: Send Message",
        "text": 'For Ann "A"',
        "who": 'Ann "A"',
        "channel": "#new",
        "count": 2,
    }


async def test_an_input_names_no_secret(zapier):
    service, _ = zapier
    await act({"params": '{"text": "{{who}}"}'}, {"who": "{{KEY(zapier)}}"})
    assert json.loads(service.received[0].body)["text"] == "{{KEY(zapier)}}"


async def test_an_input_chooses_neither_key_nor_action(zapier):
    service, _ = zapier
    await act({"actionId": "{{id}}/../other?x="}, {"id": "evil"})
    assert service.received[0].target.startswith("/api/v1/exposed/%7B%7Bid%7D%7D%2F..%2Fother%3Fx=/execute")
    with pytest.raises(ComponentError, match="no key"):
        await act({"apiKey": "{{key}}"}, {"key": "sk-evil"})


async def test_an_action_that_failed_gives_its_output_and_an_error(zapier):
    _, answers = zapier
    answers[0] = {**REPLY, "status": "error", "error": "No such channel"}
    outputs = await act()
    assert outputs["Output"]["status"] == "error"
    assert outputs["_error"] == "the action failed: No such channel"


async def test_a_refused_key_is_told_and_never_shown(zapier):
    _, answers = zapier
    answers[0] = web.json_response({"detail": f"Invalid key {KEY}"}, status=403)
    with pytest.raises(UnauthenticatedError, match=r"403: Invalid key \[key\]"):
        await act()


@pytest.mark.parametrize("params", ["{", "[1]", '"x"'])
async def test_params_must_be_a_json_object(zapier, params):
    service, _ = zapier
    with pytest.raises(ComponentError, match="params"):
        await act({"params": params})
    assert not service.received


async def test_settings_without_an_action_or_a_key_are_refused():
    for missing in ("actionId", "apiKey"):
        with pytest.raises(ValidationError, match=missing):
            await act({missing: ""})


async def test_a_secret_that_the_agent_lacks_is_named(zapier):
    service, _ = zapier
    with pytest.raises(SREError, match="other"):
        await act({"apiKey": "{{KEY(other)}}"})
    assert not service.received


FILE = {"url": "https://a.example/cat.png", "mimetype": "image/png", "size": 3, "name": "cat.png"}


class LinkingStorage(MemoryStorage):
    """A storage in memory that makes links, as those in clouds do."""

    name = "linking"
    capabilities = MemoryStorage.capabilities | {"url"}

    async def url(self, key: str, seconds: float) -> str:
        return f"https://links.example/{key}?for={seconds:g}"


class LinkingPlugin:
    @hookimpl
    def register_connectors(self):
        return [LinkingStorage]


async def test_a_file_of_the_web_is_given_by_its_own_address(zapier):
    service, _ = zapier
    await act(inputs={"picture": FILE})
    assert json.loads(service.received[0].body)["picture"] == "https://a.example/cat.png"


async def test_a_stored_file_is_given_as_a_link_for_an_hour(zapier):
    service, _ = zapier
    plugins = Plugins.load(only=[], extra={"linking": LinkingPlugin()})
    config = {"connectors": {"storage": {"default": {"use": "linking"}}}}
    async with bench(secrets={"zapier": KEY}, plugins=plugins, config=config) as place:
        await place.context.storage.write("cat.png", b"cat", content_type="image/png")
        stored = {**FILE, "url": "smythfs://a1.agent/cat.png"}
        await place.run("ZapierAction", DATA, inputs={"picture": stored})
        link = json.loads(service.received[0].body)["picture"]
        assert link.startswith("https://links.example/agent/a1/_temp/")
        assert link.endswith("-cat.png?for=3600")
        key = link.removeprefix("https://links.example/agent/a1/").partition("?")[0]
        assert await place.context.storage.read(key) == b"cat"


async def test_a_stored_file_without_links_is_not_given_at_all(zapier):
    service, _ = zapier
    with pytest.raises(ComponentError, match="makes no public links"):
        await act(inputs={"picture": {**FILE, "url": "smythfs://a1.agent/cat.png"}})
    assert not service.received


async def test_a_file_that_the_caller_may_not_read_is_not_given(zapier):
    service, _ = zapier
    plugins = Plugins.load(only=[], extra={"linking": LinkingPlugin()})
    config = {"connectors": {"storage": {"default": {"use": "linking"}}}}
    async with bench(secrets={"zapier": KEY}, plugins=plugins, config=config, caller=Candidate.user("eve")) as place:
        await place.context.storage.write("cat.png", b"cat", content_type="image/png")
        stored = {**FILE, "url": "smythfs://a1.agent/cat.png"}
        with pytest.raises(AccessDeniedError):
            await place.run("ZapierAction", DATA, inputs={"picture": stored})
    assert not service.received
