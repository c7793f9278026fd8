"""What is deployed: the author's code and its handler."""

import io
import json
import subprocess
import zipfile
from typing import Any

import pytest

from sre_aws.serverless.package import Package, make_package, old_program, secret_names
from sre_aws.serverless.program import read_program
from sre_core.errors import ComponentError
from sre_core.testing.servers import find_server

FIXED = {"runtime": "nodejs22.x"}


def make(code: str, secrets: dict[str, str] | None = None, **fixed: Any) -> Package:
    return make_package(code, secrets or {}, fixed=fixed or FIXED)


def files(package: Package) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(package.zip_file)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        ("async function main(a, b = 2) {}", ("a", "b")),
        ("const main = async (a, /* c */ b) => a", ("a", "b")),
        ("const main = a => a", ("a",)),
        ("export async function main({ a }) {}", ("",)),
        ("export default function main() {}", ()),
        ("const other = 1", None),
        ("let a = {{{", None),
    ],
)
def test_the_parameters_of_main_are_found(code, parameters):
    assert read_program(code).parameters == parameters


@pytest.mark.parametrize(
    "code",
    [
        "import axios from 'axios';",
        'import "axios";',
        "export { get } from 'axios';",
        "const axios = require('axios');",
        "const axios = await import('axios');",
        "function f() { return [() => require('axios')]; }",
    ],
)
def test_packages_are_refused_by_name(code):
    with pytest.raises(ComponentError, match="'axios'") as caught:
        make(f"{code}\nasync function main() {{}}")
    assert "packages are not installed" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["axios; rm -rf /", "$(touch /tmp/a)", "../../etc/passwd", "/etc/passwd", "fs-extra"])
def test_odd_names_of_packages_are_refused_like_others(name):
    with pytest.raises(ComponentError, match="does not have built in"):
        make(f"import x from '{name}';\nasync function main() {{}}")


def test_what_node_has_built_in_may_be_imported():
    code = "import fs from 'fs/promises';\nimport { createHash } from 'node:crypto';\nconst path = require('path');"
    assert "program.mjs" in files(make(f"{code}\nasync function main() {{}}"))


def test_code_without_main_is_refused():
    with pytest.raises(ComponentError, match="no function main"):
        make("const other = 1;")


def test_secrets_are_variables_and_no_part_of_the_code():
    code = "async function main() { return {{KEY(my-key)}} + {{KEY( b )}}; }"
    assert secret_names(code) == ["b", "my-key"]
    package = make(code, {"my-key": "planted-1", "b": "planted-2"})
    assert package.environment == {"SRE_KEY_my_key": "planted-1", "SRE_KEY_b": "planted-2"}
    assert "return process.env.SRE_KEY_my_key + process.env.SRE_KEY_b;" in files(package)["program.mjs"]
    assert "planted" not in str(files(package)) + repr(package)


def test_the_digest_changes_with_all_that_a_function_is_made_of_and_with_nothing_else():
    code = "async function main() {}"
    digests = [
        make(code).digest,
        make(code + " ").digest,
        make(code, {"a": "1"}).digest,
        make(code, {"a": "2"}).digest,
        make(code, runtime="nodejs24.x").digest,
    ]
    assert len(set(digests)) == len(digests)
    assert make(code) == make(code)


@pytest.mark.parametrize(
    ("code", "inputs", "result"),
    [
        ("async function main(b, a = 5) { return [a, b]; }", {"b": 'it\'s `${1}` "é"'}, [5, 'it\'s `${1}` "é"']),
        ("export const main = ({ a }) => a;", {"a": None}, None),
        ("const p = require('path');\nfunction main(a) { return p.basename(a); }", {"a": "/x/y"}, "y"),
        ("import { basename } from 'path';\nfunction main(a) { return basename(a); }", {"a": "/x/y"}, "y"),
        (
            old_program(
                "import { basename } from 'path'", "return $n + (await basename(ä)); // ok", ["ä", "$n", "a b"]
            ),
            {"$n": 1, "ä": "/x/y", "a b": 2},
            "1y",
        ),
    ],
)
def test_the_handler_calls_main_by_the_names_of_its_parameters(tmp_path, code, inputs, result):
    """In Node.js itself, as Lambda runs it."""
    node = find_server("node", hint="install Node.js")
    with zipfile.ZipFile(io.BytesIO(make(code).zip_file)) as archive:
        archive.extractall(tmp_path)
    event = json.dumps({"inputs": inputs})
    call = f"import {{ handler }} from './index.mjs'; console.log(JSON.stringify(await handler({event})));"
    (tmp_path / "call.mjs").write_text(call)
    done = subprocess.run([node, "call.mjs"], cwd=tmp_path, capture_output=True, timeout=300, check=True)
    assert json.loads(done.stdout) == {"result": result}
