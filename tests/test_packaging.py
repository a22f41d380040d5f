"""
What is installed, by wheel and by C{pip install -e}, is found by C{twistd} and leaves Twisted itself alone.

Nothing is fetched: a new virtual environment sees the packages of the running one through a C{.pth} file, and that does
not follow the C{.pth} file of an editable mediasrv in there.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = ("mediasrv", "twisted", "tests", "docs", "etc", "benchmarks", ".ci")
FILES = ("pyproject.toml", "setup.cfg", "MANIFEST.in", "README.rst", "CHANGELOG.rst")
RUN_TWISTD = "from twisted.scripts.twistd import run; run()"


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints. C{-I} keeps PYTHONPATH, which may name this source tree, from Python."""
    result = subprocess.run(
        [sys.executable, "-I", *command] if command[0] == "-m" else command,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    run("-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd)


def listed(python: Path, cwd: Path) -> bool:
    """Whether C{twistd --help} shows us."""
    commands = run(python, "-I", "-c", RUN_TWISTD, "--help", cwd=cwd).partition("Commands:")[2]
    assert re.search(r"^ +web ", commands, re.M)
    return re.search(r"^ +mediasrv ", commands, re.M) is not None


_UNSHIPPED = shutil.ignore_patterns("__pycache__", "dropin.cache", "node_modules")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of this source tree: building writes into it."""
    folder = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, folder / name, ignore=_UNSHIPPED)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source, cwd=folder)
    (built,) = folder.glob("mediasrv-*.whl")
    return built


@pytest.fixture
def python(tmp_path) -> Path:
    """The interpreter of a new environment without mediasrv."""
    venv.create(tmp_path / "venv", symlinks=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    seen = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "running.pth").write_text("\n".join(seen))
    return tmp_path / "venv" / "bin" / "python"


def install(python: Path, *what: str | Path, cwd: Path) -> None:
    pip("--python", python, "install", "--no-index", "--no-deps", "--no-build-isolation", *what, cwd=cwd)


def test_wheelShowsThePlugin(wheel, python, tmp_path):
    assert not listed(python, tmp_path)
    install(python, wheel, cwd=tmp_path)
    assert listed(python, tmp_path)


def test_editableShowsThePlugin(source, python, tmp_path):
    assert not listed(python, tmp_path)
    install(python, "--editable", source, cwd=tmp_path)
    assert listed(python, tmp_path)


def test_wheelHoldsOnlyOurs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert [name for name in names if not name.startswith("mediasrv/")] == ["twisted/plugins/mediasrv_plugin.py"]
    assert "mediasrv/py.typed" in names
    files = [path for path in (ROOT / "mediasrv").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {name for name in names if name.startswith("mediasrv/")} == {str(path.relative_to(ROOT)) for path in files}


def test_sourceDistributionIsComplete(source, tmp_path):
    build = "from setuptools.build_meta import build_sdist; import sys; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", build, tmp_path, cwd=source)
    (archive,) = tmp_path.glob("mediasrv-*.tar.gz")
    with tarfile.open(archive) as unpacked:
        names = {name.partition("/")[2] for name in unpacked.getnames()}
    ours = {str(path.relative_to(source)) for part in SHIPPED for path in (source / part).rglob("*") if path.is_file()}
    ours = {name for name in ours if not name.endswith((".pyc", "dropin.cache"))}
    assert {"README.rst", "docs/settings.rst", "etc/mediasrv.toml", ".ci/run", "benchmarks/run.py"} <= ours | set(FILES)
    assert names >= ours | set(FILES)
    assert not [name for name in names if name.endswith((".pyc", "dropin.cache"))]


def test_readmeHasTwoSetUpCommands():
    """One to run it, one to test it; .ci/run takes the latter from there."""
    commands = re.findall(r"^    (.*pip install.*)$", (ROOT / "README.rst").read_text(), re.M)
    assert len(commands) == 2
    use, test = commands
    assert use.startswith("python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/twistd -n mediasrv")
    assert test == (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest -n auto tests"
    )


def test_everyTestNeedIsInTheExtra():
    """The tools that the tests and .ci/run call come with C{.[test]}."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extra = {re.split("[<>=]", line)[0] for line in config["options.extras_require"]["test"].split()}
    called = set(re.findall(r"\.venv/bin/([a-z]+)", (ROOT / ".ci" / "run").read_text())) - {"python", "pip"}
    assert called == {"mypy", "ruff"}
    assert extra >= called | {"pytest", "pytest-xdist", "pytest-timeout", "pytest-twisted", "setuptools"}


def test_noNewerPyAVThanTheTestsRunWith():
    """Its next major version would come by itself, to who has a newer Python than the tests."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    needs = [line for line in config["options"]["install_requires"].splitlines() if line.startswith("av>")]
    major = int(version("av").partition(".")[0])
    assert [need.rpartition(",")[2] for need in needs] == [f"<{major + 1}"]
