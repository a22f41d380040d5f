"""
The drawings that stand for folders and kinds of files where there is no picture.
"""

from __future__ import annotations

from twisted.web.template import Tag

#: SVG paths on a square of 24
_PATHS = {
    "folder": "M3 6a2 2 0 0 1 2-2h5l2 2h7a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
    "video": "M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z"
    "M5 6v2h2V6zM17 6v2h2V6zM5 16v2h2v-2zM17 16v2h2v-2zM5 11v2h2v-2zM17 11v2h2v-2zM10 9v6l5-3z",
    "audio": "M9 5l11-2v12.5a3 3 0 1 1-2-2.8V7l-7 1.3v9.2a3 3 0 1 1-2-2.8z",
    "list": "M3 5h14v2H3zM3 10h14v2H3zM3 15h8v2H3zM14 13l7 4-7 4z",
    "picture": "M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z"
    "M5 17h14l-5-6-4 4-2-2zM7 7v3h3V7z",
    "text": "M6 3h9l4 4v13a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM8 9v2h8V9zM8 12v2h8v-2zM8 15v2h5v-2z",
    "other": "M6 3h8v5h5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM15 3l4 4h-4z",
}


def symbol(kind: str) -> Tag:
    """The drawing for a kind of file (L{mediasrv.web.kinds.FileKind}) or for C{"folder"}."""
    path = Tag("path", {"d": _PATHS[kind], "fill-rule": "evenodd"})
    return Tag("svg", {"viewBox": "0 0 24 24", "class": "symbol", "aria-hidden": "true"})(path)
