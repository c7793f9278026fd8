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
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "?"
        return cls(base=url, place=place, version=settings.api_version if preset.name == "azure" else None)

    def url(self, path: str, model: str | None = None) -> str:
        """The URL of `path`, such as "chat/completions", for `model` where that is part of it."""
        if self.version is None:
            return f"{self.base}/{path}"
        deployment = f"deployments/{quote(model, safe='')}/" if model is not None and path != "responses" else ""
        return f"{self.base}/{deployment}{path}?api-version={quote(self.version)}"
