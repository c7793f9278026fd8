"""`sre agent` with the files of SmythOS: what a service and a model's server are sent."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.integration.sre_core.components.local_service import LocalService, Received, local_service
from tests.unit.sre_cli.files import echoing, prompting, write

pytestmark = pytest.mark.integration

CHUNK = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi."}, "finish_reason": "stop"}]}
SAID = f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n"


def answer(_: Received) -> web.Response:
    return web.Response(text=SAID, content_type="text/event-stream")


async def sre(*arguments: str, folder: Path) -> tuple[int | None, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sre_cli", *arguments),
        cwd=folder,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


def files(folder: Path, service: LocalService, vault: Any) -> tuple[str, ...]:
    model = {"provider": "OpenAI", "modelId": "x", "baseURL": f"{service.url}/v1", "credentials": "vault"}
    (folder / "sre.toml").touch()
    (folder / "vault.json").write_text(json.dumps(vault))
    (folder / "models.json").write_text(json.dumps({"theirs": model}))
    return "--vault", "vault.json", "--models", "models.json"


@pytest.mark.parametrize(
    ("vault", "key"),
    [
        ({"default": {"openai": "sk-shared"}}, "sk-shared"),
        ({"default": {"openai": "sk-shared"}, "clx7": {"openai": "sk-own"}}, "sk-own"),
        ({"clx7": {"openai": "sk-own"}}, "sk-own"),
    ],
)
async def test_models_are_asked_with_the_key_of_the_agents_team(tmp_path: Path, vault: Any, key: str) -> None:
    write(tmp_path, {**prompting("theirs"), "teamId": "clx7"})
    async with local_service(answer) as service:
        given = files(tmp_path, service, vault)
        assert await sre("agent", "agent.smyth", "--prompt", "Hello", "theirs", *given, folder=tmp_path) == (0, "Hi.\n")
        code, output = await sre("agent", "agent.smyth", "--skill", "ask", "a=Hello", *given, folder=tmp_path)
    assert (code, json.loads(output)["result"]) == (0, {"Reply": "Hi."})
    assert [received.headers["authorization"] for received in service.received] == [f"Bearer {key}"] * 2


async def test_services_are_asked_with_the_key_of_the_team(tmp_path: Path) -> None:
    async with local_service(lambda _: {"ok": True}) as service:
        found = echoing()
        found["components"][1] |= {
            "name": "APICall",
            "data": {"method": "GET", "url": service.url, "headers": '{"Authorization": "Bearer {{KEY(pets)}}"}'},
            "outputs": [{"name": "Response", "default": True}],
        }
        write(tmp_path, {**found, "teamId": "clx7"})
        given = files(tmp_path, service, {"clx7": {"pets": "of the team"}, "default": {"pets": "of all"}})
        code, output = await sre("agent", "agent.smyth", "--skill", "ask", "a=1", *given, folder=tmp_path)
    assert code == 0, output
    assert [received.headers["authorization"] for received in service.received] == ["Bearer of the team"]


async def test_a_model_whose_key_is_nowhere_says_where_to_write_it(tmp_path: Path) -> None:
    write(tmp_path, {**prompting("theirs"), "teamId": "clx7"})
    async with local_service(answer) as service:
        given = files(tmp_path, service, {"default": {"openai": "", "groq": "sk-4711"}})
        code, output = await sre("agent", "agent.smyth", "--prompt", "Hello", "theirs", *given, folder=tmp_path)
    assert code == 3
    assert "needs the secret 'openai', which is in no vault" in output
    assert "write it there, as 'openai' of the team 'clx7' or 'default'" in output
    assert "sk-4711" not in output
    assert service.received == []
