"""Python programs that run in a process of their own."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path


def python(program: str, *, folder: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
        env={**os.environ, **(variables or {})},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
