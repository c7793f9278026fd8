"""Where the endpoints of a server are."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sre_core.errors import ConfigError
from sre_openai.preset import Preset
from sre_openai.settings import OpenAISettings

__all__ = ["Endpoints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The URLs below `base`. With `version`, Azure's older form, in which a model is a deployment of that name."""

    base: str
    place: str
    """Host and port, without what may be secret in a URL."""
    version: str | None = None

    @classmethod
    def of(cls, settings: OpenAISettings, preset: Preset) -> "Endpoints":
        """Those that settings and preset lead to. Raises ConfigError when neither says where the server is."""
        url = (settings.url or preset.url or "").rstrip("/")
        if not url:
            raise ConfigError(
                f"the preset {preset.name!r} of llm connector 'openai' needs a `url`",
                hint='of azure, the endpoint of the resource, as "https://NAME.openai.azure.com"',
            )
        if preset.name == "azure":
            root = url.removesuffix("/v1").removesuffix("/openai")
            url = f"{root}/openai" if settings.api_version else f"{root}/openai/v1"
        return cls(base=url, place=_place(url), version=settings.api_version if preset.name == "azure" else None)

    def url(self, path: str, model: str | None = None) -> str:
        """The URL of `path`, such as "chat/completions", for `model` where that is part of it."""
        if self.version is None:
            return f"{self.base}/{path}"
        deployment = f"deployments/{quote(model, safe='')}/" if model is not None and path != "responses" else ""
        return f"{self.base}/{deployment}{path}?api-version={quote(self.version)}"


def _place(url: str) -> str:
    """Host and port. Raises ConfigError for a URL that has none, or that has what the base of others cannot have."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        host, port = "", None
    if not host:
        raise ConfigError("the `url` of llm connector 'openai' names no host", hint="correct it: http://HOST:PORT/v1")
    if "@" in parts.netloc:
        raise ConfigError(
            f"the `url` of llm connector 'openai' holds credentials for {host}",
            hint='take them out; give a `key`, or headers = { Authorization = { vault = "..." } }',
        )
    if parts.query or parts.fragment:
        raise ConfigError(
            f"the `url` of llm connector 'openai' at {host} goes on after its path",
            hint="leave out what follows ? or #",
        )
    return f"{host}:{port}" if port else host
