"""C{openapi.json}: that it is sound, says all that there is, and that every operation answers as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from apirig import APIRig, operationOf
from openapi_spec_validator import OpenAPIV31SpecValidator
from sessiondouble import FakeSession

from mediasrv import __version__
from mediasrv.web.api.description import description
from mediasrv.web.api.views import PublicNames
from tests.media.films import Film

#: for each operation and each status that it names, a request, and what is special about it
REQUESTS = [
    ("getIndex", 200, "GET", "/-/api/", ""),
    ("getIndex", 200, "HEAD", "/-/api/", ""),
    ("getDescription", 200, "GET", "/-/api/openapi.json", ""),
    ("getFolder", 200, "GET", "/-/api/library/movies", ""),
    ("getFolder", 400, "GET", "/-/api/library/movies?limit=x", ""),
    ("getFolder", 404, "GET", "/-/api/library/none", ""),
    ("getFolder", 503, "GET", "/-/api/library/?search=x", "no threads"),
    ("getPresentation", 200, "GET", "/-/api/presentation/movies/a.mp4", ""),
    ("getPresentation", 404, "GET", "/-/api/presentation/movies/b.mp4", ""),
    ("getPresentation", 415, "GET", "/-/api/presentation/movies/text.mp4", ""),
    ("getSessions", 200, "GET", "/-/api/sessions", ""),
    ("getSessions", 403, "GET", "/-/api/sessions", "nobody"),
    ("followSessions", 200, "HEAD", "/-/api/sessions/events", ""),
    ("followSessions", 403, "GET", "/-/api/sessions/events", "nobody"),
    ("followSessions", 503, "GET", "/-/api/sessions/events", "listeners"),
    ("getSession", 200, "GET", "/-/api/sessions/{id}", ""),
    ("getSession", 403, "GET", "/-/api/sessions/{id}", "nobody"),
    ("getSession", 404, "GET", "/-/api/sessions/0000000000000000", ""),
    ("endSession", 204, "DELETE", "/-/api/sessions/{id}", ""),
    ("endSession", 403, "DELETE", "/-/api/sessions/{id}", "nobody"),
    ("endSession", 404, "DELETE", "/-/api/sessions/0000000000000000", ""),
    ("getHealth", 200, "GET", "/-/health", ""),
    ("getHealth", 503, "GET", "/-/health", "draining"),
    ("getMetrics", 200, "GET", "/-/metrics", ""),
    ("getMetrics", 403, "GET", "/-/metrics", "nobody"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movies")
    Film("a.mp4", seconds=0.5).make(folder)
    (folder / "text.mp4").write_text("no film")
    return folder


@pytest.fixture
def rig(folder: Path) -> Iterator[APIRig]:
    rig = APIRig({"movies": str(folder)})
    rig.registry.add(FakeSession(rig.registry, "a"))
    yield rig
    rig.context.library.close()


def test_sound() -> None:
    OpenAPIV31SpecValidator(description()).validate()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("operation", "code", "method", "path", "special"), REQUESTS)
def test_answers(rig: APIRig, operation: str, code: int, method: str, path: str, special: str) -> None:
    """The rig holds each answer against the description."""
    names: PublicNames = rig.oversight.feed.names
    path = path.replace("{id}", names.of(next(iter(rig.registry))))
    described = operationOf(method, path)
    assert described is not None
    assert described["operationId"] == operation
    assert str(code) in described["responses"]
    rig.pool.joined = special == "no threads"
    if special == "draining":
        rig.registry.drain()
    wires = [rig.open(path) for _ in range(200)] if special == "listeners" else []
    assert rig.ask(path, method, peer="192.0.2.1" if special == "nobody" else "127.0.0.1").code == code
    for wire in wires:
        wire.lose()


def test_nothingIsLeftOut() -> None:
    """Each operation and each status of the description was asked for above."""
    described = {
        (operation["operationId"], int(code))
        for item in description()["paths"].values()
        for method, operation in item.items()
        if method in ("get", "delete")
        for code in operation["responses"]
        if code != "default"
    }
    assert {(operation, code) for operation, code, *_ in REQUESTS} == described


def test_everythingIsStrict() -> None:
    """No object of ours has properties of which the description does not know."""
    for name, schema in description()["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name
            assert set(schema["required"]) <= set(schema["properties"]), name


def test_documented() -> None:
    """docs/api.rst lists each path."""
    text = (Path(__file__).parents[3] / "docs" / "api.rst").read_text()
    listed = {path.partition("?")[0].lower() for path in re.findall(r"^``-/([^`]+)``", text, re.M)}
    paths = {path if path in ("/health", "/metrics") else f"/api{path}" for path in description()["paths"]}
    assert {re.sub(r"[{}]", "", path)[1:] for path in paths} == listed


def test_served(rig: APIRig) -> None:
    served = rig.ask("/-/api/openapi.json").json()
    assert served == json.loads(json.dumps(description()))
    assert served["info"]["version"] == __version__
