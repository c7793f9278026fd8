"""Where a setting comes from, and what an error says about it."""

from pathlib import Path

from sre_core.config import load
from sre_sdk import ConfigError

loaded = load(Path(), environ={"SRE_TIMEOUTS__LLM": "30"}, code={"model": "echo"})
for key in ("model", "timeouts.llm", "timeouts.start"):
    print(key, "from", loaded.config.source(key))

try:
    load(Path(), environ={"SRE_TIMEOUTS__LLM": "soon"})
except ConfigError as error:
    print(error.message)
