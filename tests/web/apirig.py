"""
The API, health and metrics without sockets and threads: connections are strings, time is a C{Clock}. Every answer is
held against C{openapi.json}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from rtsprig import FakePool, ThreadClock, Wire
from sessiondouble import FakeSession
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mediasrv.media.cache import Cache
from mediasrv.media.library import Library
from mediasrv.media.searching import Search
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.api.description import description
from mediasrv.web.api.resource import APIResource
from mediasrv.web.context import WebContext
from mediasrv.web.health import HealthResource
from mediasrv.web.metrics import MetricsResource
from mediasrv.web.oversight import Oversight
from mediasrv.web.places import segmentsOf

_TEMPLATE = re.compile(r"\{[a-z]+\}")


@dataclass(frozen=True)
class Answer:
    """
    @ivar headers: names in lower case.
    """

    code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Doors(Resource):
    """As the top of our resources leads to what is no media."""

    isLeaf = True

    def __init__(self, context: WebContext, oversight: Oversight) -> None:
        super().__init__()
        self._context = context
        self._oversight = oversight

    def render(self, request: Request) -> int:
        segments, slash = segmentsOf(request.postpath or [])
        rest = (*segments, "") if slash else segments
        if rest[:2] == ("-", "api"):
            return APIResource(self._context, rest[2:], self._oversight).render(request)
        resources = {"health": HealthResource, "metrics": MetricsResource}
        return resources[rest[1]](self._oversight).render(request)


class APIRig:
    """
    @ivar oversight: what the service would have.
    """

    def __init__(
        self, folders: Mapping[str, str] | None = None, limit: int = 0, limitPerPeer: int = 0, **oversight: Any
    ) -> None:
        self.clock = ThreadClock()
        self.clock.advance(1000.0)
        self.pool: Any = FakePool()
        self.registry = Registry(limit, limitPerPeer, self.clock)
        self.cache: Any = Cache(1 << 20)
        clock: Any = self.clock
        library = Library(folders or {}, carriesTrack, self.pool, clock)
        search = Search(folders or {}, False, clock, self.pool)
        networks = oversight.pop("administrators", Settings().administrators)
        self.oversight = Oversight(self.registry, clock, networks, {"fragments": self.cache}, search, **oversight)
        self.context = WebContext(clock, Settings(), library, self.registry, self.pool)
        self.site = Site(Doors(self.context, self.oversight), reactor=clock)

    def open(self, path: str, method: str = "GET", peer: str = "127.0.0.1", **headers: str) -> Wire:
        """Sends a request on a connection of its own, which stays open."""
        wire = Wire(peer, 40000)
        wire.protocol = self.site.buildProtocol(wire.getPeer())
        wire.protocol.makeConnection(wire)
        fields = {"Host": "127.0.0.1:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        wire.protocol.dataReceived("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1"))
        return wire

    def ask(self, path: str, method: str = "GET", peer: str = "127.0.0.1", **headers: str) -> Answer:
        """The answer to a request, if it is as the description says."""
        wire = self.open(path, method, peer, **headers)
        answer = parsed(wire.value())
        wire.lose()
        checkAnswer(method, path, answer)
        return answer


def parsed(data: bytes) -> Answer:
    """An answer as it was sent."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(body))
    elif "content-length" in headers and body:
        assert len(body) == int(headers["content-length"])
    return Answer(int(first.split()[1]), headers, body)


def _chunks(data: bytes) -> Iterator[bytes]:
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        yield data[:length]
        data = data[length + 2 :]


def events(data: bytes) -> list[tuple[str, Any]]:
    """Server-sent events: what kind, and the data; each is as the description says."""
    return [event for block in data.decode().split("\n\n") if (event := _event(block)) is not None]


@cache
def _event(block: str) -> tuple[str, Any] | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
    if "event" not in fields:
        return None
    kind, value = fields["event"], json.loads(fields["data"])
    schemas = {"snapshot": "Sessions", "removed": "Removed", "progress": "Progress"}
    validate({"$ref": f"#/components/schemas/{schemas.get(kind, 'Session')}"}, value)
    return kind, value


def validate(schema: Mapping[str, Any], value: Any) -> None:
    """Holds a value against a schema of the description."""
    _validator(json.dumps(schema)).validate(value)


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": description()["components"]})


def operationOf(method: str, path: str) -> Mapping[str, Any] | None:
    """The description of what a request asks for; None if there is none."""
    below = re.sub("^/-/(?:api)?", "", path.partition("?")[0]) or "/"
    below = below if below.startswith("/") else f"/{below}"
    method = {"HEAD": "get"}.get(method, method.lower())
    for template, item in description()["paths"].items():
        pattern = _TEMPLATE.sub("\0", template)
        # a path of the library has slashes, a name of a session has none
        pattern = re.escape(pattern).replace("\0", "[^/]*" if "{id}" in template else ".*")
        if any(re.fullmatch(pattern, each) for each in (below, f"{below}/", below.removesuffix("/"))):
            return item.get(method)
    return None


def checkAnswer(method: str, path: str, answer: Answer) -> None:
    """What holds for all answers, and what the description says of this one."""
    assert answer.headers["cache-control"] == "no-store"
    operation = operationOf(method, path)
    if operation is None:
        assert answer.code in (403, 404, 405)
        responses: Mapping[str, Any] = {"default": {"$ref": "#/components/responses/Problem"}}
    else:
        responses = operation["responses"]
    response = responses.get(str(answer.code)) or responses["default"]
    if "$ref" in response:
        response = description()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    assert {name.lower() for name in response.get("headers", ())} <= set(answer.headers)
    if "content" not in response:
        assert (answer.body, "content-type" in answer.headers) == (b"", False)
        return
    contentType = answer.headers["content-type"].partition(";")[0]
    schema = response["content"][contentType]["schema"]
    if method == "HEAD":
        assert answer.body == b""
    elif contentType.endswith("json"):
        validate(schema, answer.json())
        assert answer.body.decode("utf-8")


def add(rig: APIRig, id: str = "secret", **values: object) -> FakeSession:
    """Somebody comes."""
    session = FakeSession(rig.registry, id, **values)  # type: ignore[arg-type]
    rig.registry.add(session)
    return session
