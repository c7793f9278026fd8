"""The package of a function: the author's code, and the handler that calls it, as a zip file made in memory."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sre_aws.serverless.program import Program, read_program
from sre_core.errors import ComponentError

__all__ = ["Package", "make_package", "old_program", "secret_names", "with_secrets_from_environment"]

_SECRET = re.compile(r"\{\{KEY\(([^()]*)\)\}\}")
_NO_NAME = re.compile(r"\W", re.ASCII)
_NAME = re.compile(r"(?:[^\W\d]|\$)[\w$]*")
_HANDLER = """\
import {{ createRequire }} from "node:module";
globalThis.require ??= createRequire(import.meta.url);
const {{ sreMain }} = await import("./program.mjs");
const names = {names};
export const handler = async (event) => {{
    const inputs = event.inputs ?? {{}};
    const values = names.map((name) => (name === "" ? inputs : Object.hasOwn(inputs, name) ? inputs[name] : undefined));
    return {{ result: await sreMain(...values) }};
}};
"""

# https://nodejs.org/api/modules.html#built-in-modules; all others need "node:" before their name.
# fmt: off
_BUILT_IN = frozenset(
    {
        "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
        "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net",
        "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream",
        "string_decoder", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads",
        "zlib",
    }
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is deployed. `digest` changes with all that a function is made of; `environment` holds secrets."""

    zip_file: bytes = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    digest: str


def old_program(imports: str, body: str, inputs: Iterable[str]) -> str:
    """The program of an old file, which has what stands inside of `main`: there, all inputs are known by name.

    An input whose name JavaScript does not allow is not.
    """
    names = ", ".join(name for name in inputs if _NAME.fullmatch(name))
    return f"{imports}\nasync function main({names}) {{\n{body}\n}}"


def secret_names(code: str) -> list[str]:
    """The secrets that code names as `{{KEY(name)}}`."""
    return sorted({name.strip() for name in _SECRET.findall(code)})


def with_secrets_from_environment(code: str) -> str:
    """The code with variables of its environment in place of secrets, which then are no part of it."""
    return _SECRET.sub(lambda match: f"process.env.{_variable(match[1].strip())}", code)


def make_package(code: str, secrets: Mapping[str, str], *, fixed: Mapping[str, object]) -> Package:
    """The package of code, whose secrets are given by name. `fixed` is what else the function is made with.

    Raises ComponentError for code without a `main`, or with imports that are not built into Node.js.
    """
    program = with_secrets_from_environment(code)
    found = read_program(program)
    _refuse_packages(found)
    if found.parameters is None:
        raise ComponentError("the code has no function main", hint="write: async function main(input) { ... }")
    handler = _HANDLER.format(names=json.dumps(found.parameters))
    content = _zip({"index.mjs": handler, "program.mjs": f"{program}\nexport {{ main as sreMain }};\n"})
    environment = {_variable(name): secret for name, secret in secrets.items()}
    made_of = json.dumps([dict(environment), dict(fixed)], sort_keys=True).encode()
    return Package(zip_file=content, environment=environment, digest=hashlib.sha256(content + made_of).hexdigest())


def _refuse_packages(program: Program) -> None:
    foreign = sorted(
        name for name in program.modules if not name.startswith("node:") and name.partition("/")[0] not in _BUILT_IN
    )
    if foreign:
        raise ComponentError(
            f"the code imports {', '.join(map(repr, foreign))}, which Node.js does not have built in",
            hint="packages are not installed: use fetch, crypto and the like, or put what you need into the code",
        )


def _variable(name: str) -> str:
    return f"SRE_KEY_{_NO_NAME.sub('_', name)}"


def _zip(files: Mapping[str, str]) -> bytes:
    """The same bytes each time: entries have one date, so that the digest is that of their content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            # Lambda runs as another user, who has to be able to read it.
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode("utf-8", "replace"))
    return buffer.getvalue()
