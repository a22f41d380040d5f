"""
Real browsers, driven by the scripts of the folder C{browser} with Node.js: what a viewer does, and what becomes of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from peers import missing, require, run

#: the scripts
SCRIPTS = Path(__file__).with_name("browser")
_EXECUTABLES = {"chromium": "chromium", "firefox": "firefox-esr"}


def requireBrowser(name: str) -> tuple[str, str]:
    """
    The paths of Node.js and of a browser. The test is skipped if they, or the packages of Node.js, are not there; it
    fails with C{MEDIASRV_REQUIRE_PEERS=1}.
    """
    node, executable = require("node"), require(_EXECUTABLES[name])
    if not (SCRIPTS / "node_modules").is_dir():
        missing(f"npm install --no-package-lock --prefix {SCRIPTS.name} was not done")
    return node, executable


async def browse(browser: str, script: str, *arguments: str, seconds: float = 100.0) -> dict[str, Any]:
    """
    Runs one of the scripts.

    @param browser: C{chromium} or C{firefox}.
    @return: what it prints. C{complaints} are errors of the pages' scripts and what their policy has forbidden;
        C{vain} the ways to play a film that were tried in vain.
    """
    node, executable = requireBrowser(browser)
    outcome = await run([node, str(SCRIPTS / script), browser, executable, *arguments], seconds)
    assert outcome.code == 0, outcome.errors[-3000:]
    result: dict[str, Any] = json.loads(outcome.output)
    assert "failure" not in result, result["failure"]
    return result
