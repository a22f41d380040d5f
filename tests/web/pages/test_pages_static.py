"""The files that pages need."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from pagesrig import Pages

import mediasrv.web
from mediasrv.web.staticfiles import STATIC, StaticFiles

FOLDER = Path(mediasrv.web.__file__).with_name("static")
NAMES = sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_served(pages: Pages, name: str) -> None:
    """As they are, or packed; browsers may keep what has the version in its path, for ever."""
    plain = pages.ask(f"-/static/{STATIC.version}/{name}")
    packed = pages.ask(f"-/static/{STATIC.version}/{name}", Accept_Encoding="br, gzip")
    data = (FOLDER / name).read_bytes()
    assert plain.body == gzip.decompress(packed.body) == data
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == "Accept-Encoding"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["x-content-type-options"] == "nosniff"
    types = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    assert plain.headers["content-type"] == types[Path(name).suffix]
    assert plain.headers["etag"] != packed.headers["etag"]


def test_oldVersion(pages: Pages) -> None:
    """A page of an older server gets what there is, and asks again next time."""
    for path in ("-/static/0123456789ab/style.css", "-/static/style.css"):
        answer = pages.ask(path)
        assert (answer.code, answer.headers["cache-control"]) == (200, "no-cache")


def test_notModified(pages: Pages) -> None:
    etag = pages.ask("-/static/style.css").headers["etag"]
    answer = pages.ask("-/static/style.css", If_None_Match=etag)
    assert (answer.code, answer.body) == (304, b"")


@pytest.mark.requirement("SEC-6")
@pytest.mark.parametrize(
    "rest", ["", "/", "/none.js", "/a/b/style.css", "/../root.py", "/%2e%2e/root.py", "/..%2froot.py"]
)
def test_nothingElse(pages: Pages, rest: str) -> None:
    assert pages.ask(f"/-/static{rest}").code == 404


def test_head(pages: Pages) -> None:
    answer = pages.ask("-/static/style.css", "HEAD")
    assert (answer.code, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len((FOLDER / "style.css").read_bytes())


def test_imports() -> None:
    """Every module that is imported is there, and browsers are told of all of them."""
    for path in FOLDER.glob("*.js"):
        imported = set(re.findall(r'from "(.*?)"', path.read_text()))
        assert {f"./{name}" for name in STATIC.modulesOf(path.name)} >= imported
        assert all((FOLDER / name).is_file() for name in imported)


def test_nothingFromElsewhere() -> None:
    """No script and no style names another host."""
    for path in FOLDER.iterdir():
        hosts = set(re.findall(r"https?://[^\s\"'/]+", path.read_text()))
        assert hosts <= {"http://www.w3.org"}, path.name  # a namespace, which nobody fetches


def test_version(tmp_path: Path) -> None:
    """It changes with any of the files."""
    versions = set()
    for text in ("a", "b"):
        (tmp_path / "a.js").write_text(text)
        versions.add(StaticFiles(tmp_path).version)
    (tmp_path / "b.css").write_text("")
    versions.add(StaticFiles(tmp_path).version)
    assert len(versions) >= 2
