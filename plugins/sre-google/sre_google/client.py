"""The official client library, on a transport of ours. Imports it, so only `start` may import this module."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import aiohttp
from google import genai
from google.auth.credentials import Credentials
from google.genai import types
from google.genai.client import DebugConfig

from sre_core.connectors.deadline import Alarm
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnauthenticatedError
from sre_google.auth import load_credentials, renew
from sre_google.calls import Call, open_session
from sre_google.errors import FOREIGN, translated
from sre_google.proxy import proxy_for
from sre_google.settings import GoogleSettings

__all__ = ["GoogleClient", "open_client"]

T = TypeVar("T")

_VERSIONS = {"gemini": "v1beta", "vertex": "v1beta1"}
# The library insists on contents, and then lets `extra_body` say what they are.
_PLACEHOLDER = "."
_CONFIG = types.GenerateContentConfig(
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), automatic_continuation=False
)


class GoogleClient:
    """A client that is open: one pool of connections, one account."""

    def __init__(
        self,
        settings: GoogleSettings,
        library: genai.Client,
        session: aiohttp.ClientSession,
        credentials: Credentials | None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._models = library.aio.models
        self._session = session
        self._credentials = credentials
        self._where = settings.place or ("the Gemini API" if settings.backend == "gemini" else "Vertex AI")
        self._under_way: set[Call] = set()
        self._renewal: asyncio.Task[None] | None = None
        self._silence, self._connection = Alarm(settings.timeout), Alarm(settings.connect_timeout)

    async def close(self) -> None:
        """Close the connections; what is under way breaks off."""
        # A reader that waits would not notice that its connection is closed.
        for call in list(self._under_way):
            call.close()
        try:
            await self._session.close()
            await self._library.aio.aclose()
        finally:
            self._library.close()
            self._silence.rest()
            self._connection.rest()

    async def stream(self, model: str, body: dict[str, Any]) -> AsyncGenerator[types.GenerateContentResponse]:
        """The pieces of a reply to `body`, the body of `streamGenerateContent`, as they come."""
        config = _config(body)
        begun = renewed = False
        with self._call(f"asking {model!r}") as call:
            while True:
                await self._have_token(call)
                pieces: Any = await self._ask(
                    call, self._models.generate_content_stream(model=model, contents=_PLACEHOLDER, config=config)
                )
                try:
                    while (piece := await self._ask(call, anext(pieces, None), begun=begun)) is not None:
                        begun = True
                        yield piece
                    return
                except UnauthenticatedError:
                    if renewed or not self._forget_token(call):
                        raise
                    renewed = True
                finally:
                    # First the connection: the library's generators let go of it one after another, and later.
                    call.close()
                    await pieces.aclose()

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text. Raises ConnectorError when the reply has not as many."""
        settings = self._settings
        config = types.EmbedContentConfig(
            task_type=settings.embedding_task, output_dimensionality=settings.embedding_dimensions
        )
        # Whole contents: newer models would make one vector of several texts.
        contents: Any = [types.Content(role="user", parts=[types.Part(text=text)]) for text in texts]
        what = f"embedding with {model!r}"
        reply = await self._get(what, lambda: self._models.embed_content(model=model, contents=contents, config=config))
        vectors = [list(one.values or ()) for one in reply.embeddings or ()]
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
            raise ConnectorError(f"{what}: {self._where} sent no vectors, or not one for each text", hint="try again")
        return vectors

    async def count_tokens(self, model: str, text: str) -> int:
        """The tokens of a text."""
        what = f"counting the tokens of {model!r}"
        contents = types.Content(role="user", parts=[types.Part(text=text)])
        reply = await self._get(what, lambda: self._models.count_tokens(model=model, contents=contents))
        if reply.total_tokens is None:
            raise ConnectorError(f"{what}: {self._where} sent no number", hint="try again")
        return reply.total_tokens

    async def models(self, *, at_most: int | None = None) -> list[types.Model]:
        """The base models that the server lists. Raises ConnectorError when it lists none."""
        what = "listing the models"

        async def all_pages() -> list[types.Model]:
            pager = await self._models.list(config=types.ListModelsConfig(page_size=at_most or 1000, query_base=True))
            return list(pager.page) if at_most else [model async for model in pager]

        found = await self._get(what, all_pages)
        if not found:
            # The library makes an empty list of whatever has none.
            raise ConnectorError(f"{what}: {self._where} sent no list of models", hint="check the setting url")
        return found

    async def _get(self, what: str, ask: Callable[[], Awaitable[T]]) -> T:
        with self._call(what) as call:
            await self._have_token(call)
            try:
                return await self._ask(call, ask())
            except UnauthenticatedError:
                if not self._forget_token(call):
                    raise
                await self._have_token(call)
                return await self._ask(call, ask())

    async def _ask(self, call: Call, awaitable: Awaitable[T], *, begun: bool = False) -> T:
        try:
            return await call.wait(awaitable)
        except ConnectorError:
            raise
        except FOREIGN as error:
            begun, secrets = begun or call.streaming, self._secrets()
            ours = translated(error, what=call.what, where=call.where, status=call.status, begun=begun, secrets=secrets)
            # A server may quote the key that it refuses, so such a cause is shown to nobody.
            quotes = isinstance(ours, UnauthenticatedError) or any(secret in str(error) for secret in secrets)
            raise ours from (None if quotes else error)

    def _secrets(self) -> list[str]:
        """What goes with requests, and must not stand in errors."""
        given = [self._settings.key, *self._settings.headers.values()]
        found = [secret.get_secret_value() for secret in given if secret is not None]
        token = None if self._credentials is None else self._credentials.token
        return [secret for secret in (*found, token) if secret]

    @contextmanager
    def _call(self, what: str) -> Iterator[Call]:
        call = Call(what, self._where, silence=self._silence, connection=self._connection)
        self._under_way.add(call)
        try:
            yield call
        finally:
            self._under_way.discard(call)
            call.close()

    async def _have_token(self, call: Call) -> None:
        """Fetch an access token if one is needed.

        The library would do so in a thread for each caller who gives up, and each would wait for two minutes.
        """
        credentials = self._credentials
        if credentials is None or (credentials.token and not credentials.expired):
            return
        if self._renewal is None:
            self._renewal = asyncio.create_task(renew(credentials, self._settings))
            self._renewal.add_done_callback(self._renewed)
        try:
            # Whoever gives up leaves it to the others.
            await self._ask(call, asyncio.shield(self._renewal))
        except DeadlineError:
            raise DeadlineError(
                f"{call.what}: no access token came within {self._settings.timeout:g} s",
                hint="raise the setting timeout, or try again later",
            ) from None

    def _renewed(self, renewal: asyncio.Task[None]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            # Perhaps nobody waits any longer who would hear of a failure.
            renewal.exception()

    def _forget_token(self, call: Call) -> bool:
        """Let the next request fetch a new access token, if it was for the token that `call` was refused.

        A token may end before its time, as when it is revoked, and the library would send it until then.
        """
        if self._credentials is None or self._credentials.token is None or call.status != 401:
            return False
        self._credentials.token = None
        return True


async def open_client(settings: GoogleSettings) -> GoogleClient:
    """Open a client; asks nobody yet, but for credentials of this machine. Raises ConfigError, UnauthenticatedError."""
    if settings.backend == "gemini" and not settings.plain_key:
        raise ConfigError("the Gemini API needs a key", hint='set key = { vault = "google" }, or backend = "vertex"')
    headers = _headers(settings)
    session = open_session(settings.max_connections, proxy=proxy_for(settings))
    try:
        credentials, project = None, None
        if settings.backend == "vertex" and not settings.plain_key:
            credentials, project = await asyncio.to_thread(load_credentials, settings)
        library = await asyncio.to_thread(_library, settings, headers, session, credentials, project)
    except BaseException:
        await session.close()
        raise
    return GoogleClient(settings, library, session, credentials)


def _headers(settings: GoogleSettings) -> Mapping[str, str]:
    """What goes with every request. Raises ConfigError for what cannot stand in a header, such as a line break."""
    headers = {name: value.get_secret_value().strip() for name, value in settings.headers.items()}
    for name, value in {"the key": settings.plain_key, **headers}.items():
        if not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise ConfigError(
                f"llm connector 'google': {name!r} holds characters that cannot stand in a header",
                hint="look for a line break, or for letters with accents",
            )
    return headers


def _library(
    settings: GoogleSettings,
    headers: Mapping[str, str],
    session: aiohttp.ClientSession,
    credentials: Credentials | None,
    project: str | None,
) -> genai.Client:
    """The library's client. Slow: it reads the certificates of this machine."""
    options = types.HttpOptions(
        base_url=settings.url,
        api_version=settings.api_version or _VERSIONS[settings.backend],
        headers=dict(headers) or None,
        # Without this it waits up to ten seconds and tries once more, whatever else it is told.
        retry_options=types.HttpRetryOptions(attempts=1),
        aiohttp_client=session,
        # A redirection would carry the key to whom it names.
        async_client_args={"allow_redirects": False},
    )
    vertex = settings.backend == "vertex"
    account: dict[str, Any] = {"api_key": settings.plain_key or None}
    if vertex and not settings.plain_key:
        account = {"credentials": credentials, "project": project, "location": settings.location}
    # Else the environment could have it play back what it once recorded.
    debug = DebugConfig(client_mode=None, replays_directory=None, replay_id=None)
    return genai.Client(vertexai=vertex, http_options=options, debug_config=debug, **account)


def _config(body: dict[str, Any]) -> types.GenerateContentConfig:
    # Made from nothing, it would be validated each time.
    return _CONFIG.model_copy(update={"http_options": _Body.model_construct(extra_body=body)})


class _Body(types.HttpOptions):
    """The body of a request. Nobody changes it, so the library's deep copies of a long conversation cost nothing."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "_Body":
        return self
