"""
C{Content-Disposition}: under which name a browser keeps what it gets (RFC 6266, RFC 8187).
"""

from __future__ import annotations

import re
from urllib.parse import quote

#: what C{filename=} has as it is; browsers that know no C{filename*=} see the others as underscores
_UNSAFE = re.compile(r"[^ !#$&'()+,.0-9;=@A-Z\[\]^_`a-z{}~-]")


def disposition(name: str, kind: str = "inline") -> str:
    """
    @param name: of the file; any text.
    @param kind: C{inline} for the browser to choose what becomes of it, C{attachment} to keep it.
    """
    plain = _UNSAFE.sub("_", name)
    value = f'{kind}; filename="{plain}"'
    if plain != name:
        extended = quote(name, safe="!#$&+-.^_`|~", errors="replace")
        value += f"; filename*=UTF-8''{extended}"
    return value
