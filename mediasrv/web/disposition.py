"""
Content-Disposition (RFC 6266): under which name a browser keeps what it gets.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

#: what may stand in an extended value as it is (RFC 8187 section 3.2.1)
_PLAIN = "!#$&+-.^_`|~"
#: bytes of a name that file systems take
_LONGEST = 255


def disposition(name: str, kind: Literal["inline", "attachment"] = "inline") -> str:
    """
    The value of Content-Disposition.

    The name is given twice if it has more than ASCII, or what old browsers take for something else in quotes.

    @param name: any text; only what follows its last slash is used, and no control characters.
    @param kind: C{attachment} to have it saved; C{inline} leaves it to the browser.
    """
    # bytes of a name that were no UTF-8 came as surrogates
    name = name.encode("utf-8", "replace").decode().replace("\\", "/").rpartition("/")[2]
    name = "".join(each for each in name if each.isprintable()).strip()
    name = name.encode()[:_LONGEST].decode("utf-8", "ignore")
    if not name.strip("."):
        return kind
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%?' else "_" for each in name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe=_PLAIN)}"
