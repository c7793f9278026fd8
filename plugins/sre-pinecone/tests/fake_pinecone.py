"""A server that speaks the REST API of Pinecone as its reference of 2026-07 has it, and refuses whatever it has not.

It is eventually consistent if a test wants: changes show only after so many reads of their namespace, and the numbers
of records later still. No server of Pinecone's can be installed here: how theirs really is, this one cannot tell.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from aiohttp import web

from .fake_filters import FilterError, check, meets  # noqa: TID252 -- the folder of tests is no package
from .fake_records import (  # noqa: TID252
    RefusedError,
    as_fetched,
    as_stored,
    check_vector,
    page_of,
    read_body,
    scores_of,
)

KEY = "pcsk_the_key_of_the_fake_4471"
VERSION = "2026-07"
_METRICS = ("cosine", "dotproduct", "euclidean")


class Namespace:
    """Records, and the changes to them that do not show yet."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.waiting: list[tuple[int, int, Callable[[], None]]] = []  # reads to go, LSN, what it does
        self.indexed = 0
        self.told = 0
        self.told_in = 0


class FakeIndex:
    """One index, at a port of its own."""

    def __init__(self, name: str, dimension: int, metric: str) -> None:
        self.name, self.dimension, self.metric = name, dimension, metric
        self.namespaces: dict[str, Namespace] = {}
        self.host = ""
        self.not_ready = 0


class FakePinecone:
    """The control plane and the indexes, until `stop`."""

    def __init__(self, *, lag: int = 0, count_lag: int = 0, slow_index: int = 0) -> None:
        """How many reads a change, questions a count, and questions a new index is behind."""
        self.lag = lag
        self.count_lag = count_lag
        self.slow_index = slow_index
        self.indexes: dict[str, FakeIndex] = {}
        self.requests: list[tuple[str, str]] = []
        self.came = asyncio.Condition()
        self.lsn = 0
        self.tells_lsn = self.tells_indexed = True
        self._runners: list[web.AppRunner] = []
        self.url = ""

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application(client_max_size=64 << 20, middlewares=[self._guard])
        app.router.add_get("/indexes", self._list_indexes)
        app.router.add_post("/indexes", self._create_index)
        app.router.add_get("/indexes/{name}", self._describe_index)
        self.url = f"http://{await self._serve(app)}"

    async def stop(self) -> None:
        """Stop all of it."""
        for runner in self._runners:
            await runner.cleanup()

    async def add_index(self, name: str, dimension: int, metric: str) -> FakeIndex:
        """An index at a port of its own."""
        index = FakeIndex(name, dimension, metric)
        app = web.Application(client_max_size=64 << 20, middlewares=[self._guard])
        routes: list[tuple[str, str, Callable[[FakeIndex, web.Request], Any]]] = [
            ("POST", "/describe_index_stats", self._stats),
            ("POST", "/vectors/upsert", self._upsert),
            ("POST", "/vectors/delete", self._delete),
            ("POST", "/query", self._query),
            ("GET", "/vectors/fetch", self._fetch),
            ("GET", "/vectors/list", self._list),
            ("POST", "/vectors/fetch_by_metadata", self._fetch_by_metadata),
            ("GET", "/namespaces", self._list_namespaces),
            ("POST", "/namespaces", self._create_namespace),
            ("GET", "/namespaces/{namespace}", self._describe_namespace),
            ("DELETE", "/namespaces/{namespace}", self._delete_namespace),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, path, _bound(handler, index))
        index.host = await self._serve(app)
        self.indexes[name] = index
        return index

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        self._runners.append(runner)
        return f"127.0.0.1:{runner.addresses[0][1]}"

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        async with self.came:
            self.requests.append((request.method, request.path))
            self.came.notify_all()
        if request.headers.get("Api-Key") != KEY:
            return web.Response(status=401, text="Unauthorized")
        if request.headers.get("X-Pinecone-Api-Version") != VERSION:
            return _error(400, "an X-Pinecone-Api-Version is needed")
        if request.can_read_body and request.content_type != "application/json":
            return _error(415, f"{request.content_type} is no JSON")
        try:
            return await handler(request)  # type: ignore[no-any-return]
        except RefusedError as refusal:
            return _error(refusal.status, refusal.message)
        except FilterError as error:
            return _error(400, str(error))

    # The control plane

    async def _list_indexes(self, request: web.Request) -> web.Response:
        return web.json_response({"indexes": [self._model(index) for index in self.indexes.values()]})

    async def _describe_index(self, request: web.Request) -> web.Response:
        index = self.indexes.get(request.match_info["name"])
        if index is None:
            return _control_error(404, "NOT_FOUND", "index not found")
        index.not_ready = max(0, index.not_ready - 1)
        return web.json_response(self._model(index))

    async def _create_index(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"name", "schema", "deployment"})
        if body["name"] in self.indexes:
            return _control_error(409, "ALREADY_EXISTS", "Resource already exists")
        if body["deployment"] != {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}:
            return _control_error(400, "INVALID_ARGUMENT", "no such deployment")
        field = body["schema"]["fields"]["_values"]
        if field["type"] != "dense_vector" or field["metric"] not in _METRICS or not 1 <= field["dimension"] <= 20_000:
            return _control_error(400, "INVALID_ARGUMENT", "no such field")
        index = await self.add_index(body["name"], field["dimension"], field["metric"])
        index.not_ready = self.slow_index
        return web.json_response(self._model(index), status=201)

    def _model(self, index: FakeIndex) -> dict[str, Any]:
        ready = index.not_ready == 0
        field = {"type": "dense_vector", "dimension": index.dimension, "metric": index.metric}
        return {
            "name": index.name,
            "host": index.host,
            "schema": {"fields": {"_values": field}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
            "deletion_protection": "disabled",
            "status": {"ready": ready, "state": "Ready" if ready else "Initializing"},
        }

    # Namespaces

    async def _list_namespaces(self, index: FakeIndex, request: web.Request) -> web.Response:
        prefix = request.query.get("prefix", "")
        names = sorted(name for name in index.namespaces if name.startswith(prefix))
        page, token = page_of(names, request.query)
        found: dict[str, Any] = {"namespaces": [self._described(index, name) for name in page]}
        return web.json_response(found | token)

    async def _create_namespace(self, index: FakeIndex, request: web.Request) -> web.Response:
        name = (await read_body(request, {"name"}))["name"]
        if not name.isascii() or not 1 <= len(name) <= 512:
            raise RefusedError(400, f"illegal namespace {name!r}")
        if name in index.namespaces:
            raise RefusedError(409, "Namespace already exists")
        index.namespaces[name] = Namespace()
        return web.json_response(self._described(index, name))

    async def _describe_namespace(self, index: FakeIndex, request: web.Request) -> web.Response:
        return web.json_response(self._described(index, _existing(index, request.match_info["namespace"])))

    async def _delete_namespace(self, index: FakeIndex, request: web.Request) -> web.Response:
        del index.namespaces[_existing(index, request.match_info["namespace"])]
        return web.json_response({})

    def _described(self, index: FakeIndex, name: str) -> dict[str, Any]:
        """As in the reference, the count is text."""
        namespace = index.namespaces[name]
        if namespace.told != len(namespace.records):
            if namespace.told_in == 0:
                namespace.told, namespace.told_in = len(namespace.records), self.count_lag
            else:
                namespace.told_in -= 1
        return {"name": name, "record_count": str(namespace.told)}

    async def _stats(self, index: FakeIndex, request: web.Request) -> web.Response:
        await read_body(request, set(), optional={"filter"})
        counts = {name: {"vectorCount": space.told} for name, space in index.namespaces.items()}
        return web.json_response(
            {
                "namespaces": counts,
                "dimension": index.dimension,
                "indexFullness": 0,
                "totalVectorCount": sum(count["vectorCount"] for count in counts.values()),
                "metric": index.metric,
                "vectorType": "dense",
            }
        )

    # Records

    async def _upsert(self, index: FakeIndex, request: web.Request) -> web.Response:
        if (request.content_length or 0) > 2_000_000:
            raise RefusedError(400, "the request is larger than 2 MB")
        body = await read_body(request, {"vectors"}, optional={"namespace"})
        vectors = body["vectors"]
        if not 1 <= len(vectors) <= 1000:
            raise RefusedError(400, f"{len(vectors)} vectors, not 1 to 1000")
        for vector in vectors:
            check_vector(vector, index.dimension)
        if len({vector["id"] for vector in vectors}) < len(vectors):
            raise RefusedError(400, "an id is there twice")
        namespace = index.namespaces.setdefault(body.get("namespace", ""), Namespace())
        stored = {vector["id"]: as_stored(vector) for vector in vectors}
        return self._changed(namespace, lambda: namespace.records.update(stored), {"upsertedCount": len(vectors)})

    async def _delete(self, index: FakeIndex, request: web.Request) -> web.Response:
        body = await read_body(request, {"ids"}, optional={"namespace"})
        if not 1 <= len(body["ids"]) <= 1000:
            raise RefusedError(400, f"{len(body['ids'])} ids, not 1 to 1000")
        namespace = index.namespaces.setdefault(body.get("namespace", ""), Namespace())

        def remove() -> None:
            for key in body["ids"]:
                namespace.records.pop(key, None)

        return self._changed(namespace, remove, {})

    def _changed(self, namespace: Namespace, change: Callable[[], None], answer: dict[str, Any]) -> web.Response:
        self.lsn += 1
        namespace.waiting.append((self.lag, self.lsn, change))
        if self.lag == 0:
            self._let_show(namespace)
        headers = {"x-pinecone-request-lsn": str(self.lsn)} if self.tells_lsn else {}
        return web.json_response(answer, headers=headers)

    def _let_show(self, namespace: Namespace) -> None:
        """A read came: what was waited for long enough shows, in order."""
        while namespace.waiting and namespace.waiting[0][0] <= 0:
            _, namespace.indexed, change = namespace.waiting.pop(0)
            change()
        namespace.waiting = [(reads - 1, lsn, change) for reads, lsn, change in namespace.waiting]

    def _read(self, index: FakeIndex, name: str) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        namespace = index.namespaces.get(name)
        if namespace is None:
            return {}, {"x-pinecone-max-indexed-lsn": "0"}
        self._let_show(namespace)
        told = self.tells_lsn and self.tells_indexed
        headers = {"x-pinecone-max-indexed-lsn": str(namespace.indexed)} if told else {}
        return namespace.records, headers

    async def _query(self, index: FakeIndex, request: web.Request) -> web.Response:
        optional = {"namespace", "filter", "includeValues", "includeMetadata"}
        body = await read_body(request, {"vector", "topK"}, optional=optional)
        if not 1 <= body["topK"] <= 10_000:
            raise RefusedError(400, f"topK {body['topK']} is not 1 to 10000")
        if len(body["vector"]) != index.dimension:
            raise RefusedError(400, f"Vector dimension {len(body['vector'])} does not match {index.dimension}")
        if "filter" in body:
            check(body["filter"])
        records, headers = self._read(index, body.get("namespace", ""))
        good = [record for record in records.values() if meets(body.get("filter", {}), record["metadata"])]
        scores = scores_of(good, body["vector"], index.metric)
        order = np.argsort(scores if index.metric == "euclidean" else -scores, kind="stable")[: body["topK"]]
        matches = []
        for place in order.tolist():
            match = {"id": good[place]["id"], "score": float(scores[place]), "values": []}
            if body.get("includeMetadata") and good[place]["metadata"]:
                match["metadata"] = good[place]["metadata"]
            matches.append(match)
        answer = {"matches": matches, "namespace": body.get("namespace", ""), "usage": {"readUnits": 1}}
        return web.json_response(answer, headers=headers)

    async def _fetch(self, index: FakeIndex, request: web.Request) -> web.Response:
        ids = request.query.getall("ids", [])
        if not 1 <= len(ids) <= 1000 or len(str(request.rel_url)) > 8000:
            raise RefusedError(400, f"{len(ids)} ids are too many")
        records, headers = self._read(index, request.query.get("namespace", ""))
        found = {key: records[key] for key in ids if key in records}
        return web.json_response(as_fetched(found, request.query.get("namespace", "")), headers=headers)

    async def _fetch_by_metadata(self, index: FakeIndex, request: web.Request) -> web.Response:
        body = await read_body(request, {"filter"}, optional={"namespace", "limit", "paginationToken"})
        check(body["filter"])
        records, headers = self._read(index, body.get("namespace", ""))
        keys = sorted(key for key, record in records.items() if meets(body["filter"], record["metadata"]))
        page, token = page_of(keys, {name: str(value) for name, value in body.items()})
        found = as_fetched({key: records[key] for key in page}, body.get("namespace", ""))
        return web.json_response(found | token, headers=headers)

    async def _list(self, index: FakeIndex, request: web.Request) -> web.Response:
        records, headers = self._read(index, request.query.get("namespace", ""))
        prefix = request.query.get("prefix", "")
        page, token = page_of(sorted(key for key in records if key.startswith(prefix)), request.query)
        found: dict[str, Any] = {"vectors": [{"id": key} for key in page], "usage": {"readUnits": 1}}
        return web.json_response(found | {"namespace": request.query.get("namespace", "")} | token, headers=headers)


def _bound(handler: Callable[[FakeIndex, web.Request], Any], index: FakeIndex) -> Callable[[web.Request], Any]:
    async def bound(request: web.Request) -> web.Response:
        answer: web.Response = await handler(index, request)
        return answer

    return bound


def _existing(index: FakeIndex, name: str) -> str:
    if name not in index.namespaces:
        raise RefusedError(404, "Namespace not found")
    return name


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"code": 3, "message": message, "details": []}, status=status)


def _control_error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}, "status": status}, status=status)
