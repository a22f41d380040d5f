"""
The API's description of itself: C{openapi.json}, with the version of the server.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from mediasrv import __version__


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = json.loads(files("mediasrv.web.api").joinpath("openapi.json").read_bytes())
    document["info"]["version"] = __version__
    return document
