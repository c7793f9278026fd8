"""ServerlessCode with a moto server, whose functions answer what a test says, or with what they were sent."""

import asyncio
import json
from typing import Any

import pytest

from sre_aws import ServerlessCode
from sre_core.errors import AccessDeniedError, ComponentError, UnauthenticatedError
from sre_core.testing.bench import bench

CODE = "async function main(city) { return city; }"
OWN = {"use_own_keys": True, "accessKeyId": "{{KEY(id)}}", "secretAccessKey": "{{KEY(key)}}", "region": "eu-west-1"}
SECRETS = {"id": "AKIAIOSFODNN7EXAMPLE", "key": "planted-secret-key", "token": "planted-token"}


async def run(data: dict[str, Any], inputs: dict[str, Any] | None = None, node: str = "N1") -> Any:
    async with bench(secrets=SECRETS) as place:
        return await place.run(ServerlessCode, {**OWN, **data}, inputs=inputs, node_id=node)


async def test_a_function_is_made_and_called(aws):
    aws.answer({"result": {"title": "Oslo"}})
    assert await run({"code": CODE, "timeout": 30, "memoryLimit": 512}, {"city": "Oslo"}) == {
        "Output": {"title": "Oslo"}
    }
    made = aws.function("a1-N1")["Configuration"]
    assert (made["Runtime"], made["Handler"], made["Timeout"], made["MemorySize"]) == (
        "nodejs22.x",
        "index.handler",
        30,
        512,
    )
    assert made["Role"].endswith(":role/sre-a1-N1-role")
    attached = aws.roles.list_attached_role_policies(RoleName="sre-a1-N1-role")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole"]


async def test_code_that_has_not_changed_is_not_deployed_again(aws):
    await run({"code": CODE})
    first = aws.function("a1-N1")
    await run({"code": CODE})
    assert aws.function("a1-N1")["Configuration"]["LastModified"] == first["Configuration"]["LastModified"]
    await run({"code": CODE + "\n", "memoryLimit": 1024})
    second = aws.function("a1-N1")
    assert second["Configuration"]["CodeSha256"] != first["Configuration"]["CodeSha256"]
    assert second["Configuration"]["MemorySize"] == 1024
    assert second["Tags"] != first["Tags"]


async def test_null_is_a_result_and_no_result_is_none(aws):
    aws.answer({"result": None}, {})
    assert await run({"code": CODE}) == {"Output": None}
    assert await run({"code": CODE}) == {}


async def test_secrets_of_the_code_are_variables_of_the_function(aws):
    await run({"code": "async function main() { return {{KEY(token)}}; }"})
    variables = aws.function("a1-N1")["Configuration"]["Environment"]["Variables"]
    assert variables == {"SRE_KEY_token": "planted-token"}
    with pytest.raises(AccessDeniedError):
        await run({"code": "async function main() { return {{KEY(absent)}}; }"})


async def test_old_files_have_imports_and_the_inside_of_main_apart(aws):
    aws.answer({"result": "Oslo"})
    old = {"code_imports": "import fs from 'fs';", "code_body": "return city;"}
    assert await run(old, {"city": "Oslo"}) == {"Output": "Oslo"}
    first = aws.function("a1-N1")["Configuration"]["CodeSha256"]
    await run({"code": "import fs from 'fs';\nasync function main(city) {\nreturn city;\n}"}, {"city": "Oslo"})
    assert aws.function("a1-N1")["Configuration"]["CodeSha256"] == first


async def test_a_role_of_the_author_is_used(aws):
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = aws.roles.create_role(RoleName="mine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    await run({"code": CODE, "role": arn})
    assert aws.function("a1-N1")["Configuration"]["Role"] == arn


async def test_names_that_aws_would_not_take_are_made_fit_and_stay_apart(aws):
    await run({"code": CODE}, node="N 1/é")
    await run({"code": CODE}, node="N 1/è")
    await run({"code": CODE}, node="X" * 100)
    names = aws.names()
    assert len(set(names)) == 3
    assert all(len(name) <= 64 for name in names)


async def test_ten_runs_at_once_make_one_function(aws):
    async with bench(secrets=SECRETS) as place:
        aws.answer(*({"result": 1} for _ in range(10)))
        found = await asyncio.gather(*(place.run(ServerlessCode, {**OWN, "code": CODE}) for _ in range(10)))
    assert found == [{"Output": 1}] * 10
    assert aws.names() == ["a1-NODE1"]


async def test_what_cannot_run_is_refused_before_aws_is_asked(no_surroundings):
    with pytest.raises(ComponentError, match="no code"):
        await run({"code_imports": "import fs from 'fs';", "code_body": " "})
    with pytest.raises(ComponentError, match="'left-pad'"):
        await run({"code": f"import pad from 'left-pad';\n{CODE}"})
    with pytest.raises(ComponentError, match="there are no keys"):
        await run({"code": CODE, "accessKeyId": "{{nothing}}"})
    with pytest.raises(ComponentError, match="Lambda takes 6291456"):
        await run({"code": CODE}, {"city": "x" * 7_000_000})


async def test_without_keys_nobody_is_asked(no_surroundings):
    with pytest.raises(UnauthenticatedError):
        await run({"code": CODE, "use_own_keys": False})


async def test_a_node_with_a_dash_has_no_function_that_a_node_of_another_agent_could_have(aws):
    await run({"code": CODE}, node="b-N1")
    # That would be the function of the node N1 of an agent a1-b.
    assert "a1-b-N1" not in aws.names()
    assert len(aws.names()) == 1
