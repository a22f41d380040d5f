"""
What a check is, how it is graded, and how it ends.

A check is a function that takes a L{Probe<mediasrv.conform.probing.Probe>} and returns if the server did right. It
raises L{Failed} if not, L{NotApplicable} if the question does not arise. What it returns may be a remark: which of
several right answers it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: takes a L{Probe<mediasrv.conform.probing.Probe>}, whose module knows this one
Function = Callable[[Any], "str | None"]


class Grade(Enum):
    """
    How much a requirement weighs.

    MUST: the RFC says MUST, or states it as a fact without which the protocol does not work. Only these decide the exit
    status. SHOULD: the RFC says SHOULD, "should" or "recommended". POLICY: the RFC leaves it open, and players that are
    in use need one of the answers.
    """

    MUST = "must"
    SHOULD = "should"
    POLICY = "policy"


class Outcome(Enum):
    """How a check ended; ERROR: the checker itself made a mistake."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    ERROR = "error"


class Failed(Exception):
    """
    The server did wrong.

    @ivar wanted: what would have been right.
    @ivar got: what came; None for the last answer of the dialogue.
    @ivar sent: what was asked; None for the last request of the dialogue.
    """

    def __init__(self, wanted: str, got: str | None = None, sent: str | None = None) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.got = got
        self.sent = sent


class Silence(Failed):
    """The server did wrong by saying nothing, and may be busy with it for a while."""


class Gone(Failed):
    """The server accepts no connection."""


class NotApplicable(Exception):
    """The question does not arise here; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """
    One question to a server.

    @ivar name: of the function, unique.
    @ivar requirements: identifiers such as C{"SYN-1"}.
    @ivar text: what is demanded, one sentence.
    @ivar source: where that stands.
    @ivar ofMedia: whether it is asked once for each transport of media.
    """

    name: str
    requirements: tuple[str, ...]
    grade: Grade
    text: str
    source: str
    ofMedia: bool
    function: Function

    def isNamed(self, names: set[str]) -> bool:
        """Whether one of these is its name, one of its requirements, or the section of one: C{SYN}, C{SYN-1}."""
        own = {self.name.upper()}
        for requirement in self.requirements:
            own |= {requirement, requirement.rpartition("-")[0]}
        return not own.isdisjoint(name.upper() for name in names)


@dataclass(slots=True)
class Result:
    """
    How a check ended on one transport.

    @ivar transport: C{"udp"} or C{"tcp"}, C{""} for a check that is not of media.
    @ivar remark: of one that passed, or why it is not applicable.
    @ivar seconds: that it took.
    @ivar dialogue: all that was said, lines that begin with C{">"} or C{"<"}.
    @ivar isSilence: whether the server owes an answer, or is not there.
    """

    check: Check
    transport: str
    outcome: Outcome
    remark: str = ""
    sent: str = ""
    got: str = ""
    wanted: str = ""
    seconds: float = 0.0
    dialogue: list[str] = field(default_factory=list)
    isSilence: bool = False

    def asDictionary(self) -> dict[str, Any]:
        """For JSON."""
        check = self.check
        return {
            "name": check.name,
            "requirements": list(check.requirements),
            "grade": check.grade.value,
            "text": check.text,
            "source": check.source,
            "transport": self.transport,
            "outcome": self.outcome.value,
            "remark": self.remark,
            "sent": self.sent,
            "got": self.got,
            "wanted": self.wanted,
            "seconds": round(self.seconds, 3),
            "dialogue": self.dialogue,
        }


#: all checks, in the order in which they are asked
CHECKS: list[Check] = []


def check(
    requirements: str, grade: Grade, source: str, text: str, *, media: bool = False
) -> Callable[[Function], Function]:
    """
    Registers a function as a check; the arguments are those of L{Check}.

    @param requirements: identifiers with spaces between them.
    @param media: see L{Check.ofMedia}.
    """

    def register(function: Function) -> Function:
        names = tuple(requirements.split())
        CHECKS.append(Check(function.__name__, names, grade, text, source, media, function))
        return function

    return register


def unseen(requirements: str, text: str, reason: str) -> None:
    """Registers a requirement that nobody can judge from outside, so that the report says so."""

    def sayWhy(probe: object) -> None:
        raise NotApplicable(reason)

    names = tuple(requirements.split())
    name = f"unseen_{names[0].replace('-', '_')}"
    CHECKS.append(Check(name, names, Grade.POLICY, text, "", False, sayWhy))
