"""Settings: what is refused, and that nothing secret shows."""

import subprocess
import sys
import textwrap

import pytest
from pydantic import ValidationError

from sre_pinecone import PineconeSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"key": " pcsk_secret_8264"},
        {"key": "pcsk_secret_8264\n"},
        {"key": "pcsk_secret_8264ü"},
        {"index": "Sre"},
        {"index": "-sre"},
        {"index": "x" * 29},
        {"host": "https://user:pcsk_secret_8264@host"},
        {"host": "https://"},
        {"host": "https://host:port"},
        {"host": "ftp://host"},
        {"url": "https://api.pinecone.io?key=1"},
        {"batch": 1001},
        {"timeout": 0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_makes_no_sense_is_refused_and_no_secret_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        PineconeSettings(**{"key": "pcsk_secret_8264", **wrong})
    assert "pcsk_secret_8264" not in str(refused.value)


def test_a_host_is_as_the_console_shows_it_or_a_url():
    for host in ("sre-1.svc.pinecone.io", "https://sre-1.svc.pinecone.io/"):
        assert PineconeSettings(key="k", host=host).host == "https://sre-1.svc.pinecone.io"
    assert PineconeSettings(key="k", host="http://localhost:5081").host == "http://localhost:5081"


def test_settings_show_no_secret():
    settings = PineconeSettings(key="pcsk_secret_8264")
    assert "pcsk_secret_8264" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_importing_the_plugin_loads_nothing_heavy():
    assert python('import sys, sre_pinecone; print([n for n in ("aiohttp", "numpy") if n in sys.modules])') == "[]"


def test_what_is_heavy_is_loaded_beside_the_event_loop():
    program = """
        import asyncio, sys, threading
        from sre_core.errors import UnavailableError
        from sre_pinecone import PineconeSettings, PineconeVectors

        class Watching:
            def find_spec(self, name, path=None, target=None):
                if name in ("aiohttp", "numpy"):
                    print(name, threading.current_thread() is threading.main_thread())

        sys.meta_path.insert(0, Watching())
        connector = PineconeVectors(PineconeSettings(key="k", url="http://127.0.0.1:9", retries=0))
        try:
            asyncio.run(connector.start())
        except UnavailableError:
            print("done")
    """
    assert sorted(python(program).splitlines()) == ["aiohttp False", "done", "numpy False"]


def python(program: str) -> str:
    words = [sys.executable, "-c", textwrap.dedent(program)]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
