#!/usr/bin/env python3
"""
How long a viewer waits: from following a link to a play page until the browser presents the first picture.

    python benchmarks/firstpicture.py [--times 7] [--url http://127.0.0.1:8080/movies/film.mp4/]

Chromium and Firefox, without a window, driven as in the tests: C{npm install --prefix tests/interop/browser} gets what
drives them. Without C{--url} a fresh server serves a clip of C{media.py}. The browser's cache is off.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import media
from report import table
from server import ServerError, freePort, running

_SCRIPT = os.path.join(os.path.dirname(__file__), "..", "tests", "interop", "browser", "firstpicture.mjs")
_BROWSERS = {"chromium": "chromium", "firefox": "firefox-esr"}
_PATIENCE = 120.0


class BrowserError(Exception):
    """A browser, or what drives it, did not do what it should."""


def measure(browser: str, url: str, times: int) -> tuple[list[float], str]:
    """
    @return: milliseconds of each time, and which way of playing the page chose.
    @raise BrowserError: if nothing can be measured.
    """
    node, executable = shutil.which("node"), shutil.which(_BROWSERS[browser])
    if node is None or executable is None:
        raise BrowserError("not installed")
    command = [node, _SCRIPT, browser, executable, url, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if done.returncode:
        raise BrowserError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed")
    found = json.loads(done.stdout)
    if "failure" in found:
        raise BrowserError(found["failure"].splitlines()[0])
    return found["milliseconds"], found["way"]


@contextmanager
def pageOf(url: str | None) -> Iterator[str]:
    """The play page: of a server of ours, if no other is given."""
    if url:
        yield url
        return
    folder, clip = os.path.expanduser("~/.cache/mediasrv/benchmarks"), media.CLIPS[0]
    media.make(folder, clip)
    port = freePort()
    with running(folder, None, f'http = "tcp:{port}:interface=127.0.0.1"\n'):
        yield f"http://127.0.0.1:{port}/load/{clip.name}/"


def main(arguments: list[str]) -> int:
    """
    @return: 0, or 1 if it came to nothing.
    """
    parser = argparse.ArgumentParser(description="How long it takes until the first picture.")
    parser.add_argument("--url", help="a play page of a server that runs already")
    parser.add_argument("--times", type=int, default=7, help="how often each browser looks")
    options = parser.parse_args(arguments)
    rows = []
    try:
        with pageOf(options.url) as url:
            for browser in _BROWSERS:
                for way in ("", "?player=mse"):
                    try:
                        found, used = measure(browser, url + way, options.times)
                    except (BrowserError, subprocess.TimeoutExpired) as error:
                        print(f"{browser}: {error}", file=sys.stderr)
                        continue
                    figures = (found[0], median(found), min(found), max(found))
                    rows.append((browser, used, *(f"{each:.0f}" for each in figures)))
    except (ServerError, OSError) as error:
        print(f"firstpicture.py: {error}", file=sys.stderr)
        return 1
    if not rows:
        return 1
    print(table(rows, ("browser", "way", "first", "median", "least", "most")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
