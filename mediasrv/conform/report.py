"""
Results for people: a table by section, what was sent, got and wanted of each failure, and a summary.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from mediasrv.conform.grading import Grade, Outcome, Result

_TITLES = {
    "SYN": "Syntax of messages",
    "CON": "CSeq and connections",
    "OPT": "OPTIONS",
    "DES": "DESCRIBE",
    "SET": "SETUP and Transport",
    "PLY": "PLAY and Range",
    "PAU": "PAUSE",
    "TDN": "TEARDOWN",
    "PAR": "GET_PARAMETER and SET_PARAMETER",
    "RED": "REDIRECT",
    "EXT": "Other methods",
    "STATE": "States of a session",
    "STATUS": "Status codes",
    "HDR": "Other headers, Scale and Speed",
    "RTP": "RTP and RTP-Info",
    "INT": "Interleaved data",
    "TMO": "Timeouts",
    "RTCP": "RTCP",
    "SDP": "Session description",
}
_WIDTH = 118
_SIGNS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.NOT_APPLICABLE: "–", Outcome.ERROR: "!"}
_ASCII = {Outcome.PASSED: "+", Outcome.FAILED: "x", Outcome.NOT_APPLICABLE: "-", Outcome.ERROR: "!"}


def _section(result: Result) -> str:
    return result.check.requirements[0].rpartition("-")[0]


def _place(result: Result) -> tuple[int, int]:
    """Where it stands in the table: by section, then by number."""
    section, _, number = result.check.requirements[0].rpartition("-")
    places = list(_TITLES)
    place = places.index(section) if section in places else len(places)
    return place, int(number) if number.isdigit() else 0


def table(results: Sequence[Result], *, ascii: bool = False, verbose: bool = False) -> Iterator[str]:
    """
    The lines of the table.

    @param ascii: without signs and dashes that a terminal might not have.
    @param verbose: with the source of each requirement, and the dialogue of what failed.
    """
    listed = sorted(results, key=_place)
    for section, those in groupby(listed, _section):
        yield ""
        yield _TITLES.get(section, section)
        for _, same in groupby(those, lambda result: (result.check.name, result.outcome, result.wanted)):
            yield from _lines(list(same), ascii, verbose)


def _lines(same: list[Result], ascii: bool, verbose: bool) -> Iterator[str]:
    """The lines of one check, of all transports on which it went alike."""
    result = same[0]
    check = result.check
    sign = (_ASCII if ascii else _SIGNS)[result.outcome]
    transports = ", ".join(each.transport for each in same if each.transport)
    text = f"{check.text} ({transports})" if transports else check.text
    if verbose and check.source:
        text = f"{text} [{check.source}]"
    grade = check.grade.value if check.source else ""
    yield from _wrapped(f"  {sign} {check.requirements[0]:<13} {grade:<7} ", text, ascii)
    if result.outcome is Outcome.FAILED:
        for label, value in (("sent", result.sent), ("got", result.got), ("wanted", result.wanted)):
            yield from _wrapped(f"{label:>25}  ", value, ascii)
        if verbose:
            for line in result.dialogue:
                yield from _wrapped(" " * 27, line, ascii)
    else:
        remarks = list(dict.fromkeys(each.remark for each in same if each.remark))
        if remarks:
            yield from _wrapped(" " * 27, "; ".join(remarks), ascii)


def _wrapped(start: str, text: str, ascii: bool) -> list[str]:
    if ascii:
        text = text.replace("…", "...").replace("–", "-").encode("ascii", "backslashreplace").decode()
    text = text if len(text) <= 600 else f"{text[:600]}..."
    room = textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False
    ) or [start.rstrip()]
    return [line.rstrip() for line in room]


def summary(results: Iterable[Result]) -> Iterator[str]:
    """A line for each grade: how many passed, failed, were not applicable."""
    counts = Counter((result.check.grade, result.outcome) for result in results)
    yield f"{'':8}{'passed':>8}{'failed':>8}{'not applicable':>16}"
    for grade in Grade:
        passed, failed = counts[grade, Outcome.PASSED], counts[grade, Outcome.FAILED]
        yield f"{grade.value:8}{passed:>8}{failed:>8}{counts[grade, Outcome.NOT_APPLICABLE]:>16}"
    errors = sum(number for (_, outcome), number in counts.items() if outcome is Outcome.ERROR)
    if errors:
        yield f"{errors} could not be judged: mistakes of this program"


def status(results: Iterable[Result]) -> int:
    """The exit status: 0 if no MUST failed, else 1; 2 if this program itself failed."""
    outcomes = [(result.check.grade, result.outcome) for result in results]
    if any(outcome is Outcome.ERROR for _, outcome in outcomes):
        return 2
    return int((Grade.MUST, Outcome.FAILED) in outcomes)
