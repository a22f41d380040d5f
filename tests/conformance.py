"""
Writes docs/conformance.rst: each requirement of requirements.toml, and the tests that say they hold it.

Tests say so with C{@pytest.mark.requirement("PLY-7")}; that is read from their source, nothing is run or imported.

    python tests/conformance.py
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS / "requirements.toml"
PAGE = TESTS.parent / "docs" / "conformance.rst"

#: tests named for one requirement; of more there is only the number
_NAMED = 4

#: characters of the columns
_WIDTHS = (8, 48, 60)

_INTRODUCTION = """\
Conformance
===========

What RFC 2326 and its neighbours, and the players that people use, require of a server, and the tests that hold it
here. Each requirement has an identifier, which comments and tests name as well; ``rtsp/test_setup::testUDP`` is the
function ``testUDP`` of ``tests/rtsp/test_setup.py``. Where no test holds a requirement there is the reason.

``tests/rtsp/test_dialogues.py`` has clients talk to the server at random. That are a few hundred dialogues, and as many
as ``MEDIASRV_DIALOGUES`` says: ``MEDIASRV_DIALOGUES=20000 python -m pytest tests/rtsp/test_dialogues.py``.
``python tests/fuzzing.py --minutes 5`` feeds every parser what no client should send, guided by coverage where
``atheris`` is installed.

This page is made from the markers of the tests by ``python tests/conformance.py``, and a test fails when it is old.
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """
    @ivar identifier: such as C{"PLY-7"}.
    @ivar title: what is required, in a few words.
    @ivar absent: why no test holds it; C{""} where tests have to.
    @ivar note: what the tests do not cover, or C{""}.
    """

    identifier: str
    title: str
    absent: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Requirements that belong together."""

    title: str
    requirements: list[Requirement] = field(default_factory=list)


class StrayMarker(Exception):
    """A marker that belongs to no test."""


def sections(table: str) -> list[Section]:
    """
    What requirements.toml lists: a table for each section, with a line for each identifier. That is the title, or a
    table of C{title} and C{absent} or C{note}.
    """
    found = []
    for title, lines in tomllib.loads(table).items():
        section = Section(title)
        for identifier, line in lines.items():
            words = {"title": line} if isinstance(line, str) else line
            section.requirements.append(Requirement(identifier, **words))
        found.append(section)
    return found


def markedIn(source: str) -> Iterator[tuple[str, str]]:
    """
    The tests of a module with the identifiers of their markers: on functions, on classes, on C{TestCase}s that are made
    by a call, and in C{pytestmark}.

    @raise StrayMarker: for one elsewhere, which would go unnoticed.
    """
    module = ast.parse(source)
    seen = 0
    names: list[str] = []
    ofAll: list[str] = []
    for statement in module.body:
        for name, nodes in _testsOf(statement):
            identifiers = [each for node in nodes for each in _identifiers(node)]
            seen += len(identifiers)
            if name == "pytestmark":
                ofAll += identifiers
            else:
                names.append(name)
                yield from ((name, identifier) for identifier in identifiers)
    if seen != len(list(_identifiers(module))):
        raise StrayMarker("a requirement marker that belongs to no test")
    yield from ((name, identifier) for name in names for identifier in ofAll)


def _testsOf(statement: ast.stmt) -> Iterator[tuple[str, list[ast.AST]]]:
    """Names of tests that a statement defines, and where their markers are."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test"):
            yield name, [*statement.decorator_list]
        case ast.ClassDef(name=name) if name.startswith("Test"):
            for inner in statement.body:
                for method, nodes in _testsOf(inner):
                    yield f"{name}::{method}", nodes
            yield name, [*statement.decorator_list]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name.startswith("Test"):
            yield name, [value]
        case ast.Assign(targets=[ast.Name(id=name)]) if name.startswith("Test") or name == "pytestmark":
            yield name, [statement.value]


def _identifiers(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        match each:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr="requirement"), args=arguments):
                for argument in arguments:
                    assert isinstance(argument, ast.Constant), "identifiers are written out"
                    yield argument.value


def holders(folder: Path) -> dict[str, list[str]]:
    """For each identifier the tests that hold it, in the order of the files and in them."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        module = path.relative_to(folder).with_suffix("").as_posix()
        for name, identifier in markedIn(path.read_text()):
            found.setdefault(identifier, []).append(f"{module}::{name}")
    return found


def complaints(listed: list[Section], held: dict[str, list[str]]) -> list[str]:
    """What is wrong between the table and the markers; one line each."""
    known = [requirement for section in listed for requirement in section.requirements]
    names = [requirement.identifier for requirement in known]
    wrong = [f"{name}: listed twice" for name in sorted({name for name in names if names.count(name) > 1})]
    wrong += [f"{name}: not in {TABLE.name}, but in {tests[0]}" for name, tests in held.items() if name not in names]
    for requirement in known:
        tests = held.get(requirement.identifier)
        if not tests and not requirement.absent:
            wrong.append(f"{requirement.identifier}: no test, and no reason for that")
        if tests and requirement.absent:
            wrong.append(f"{requirement.identifier}: {tests[0]} holds it, so it needs no 'absent' in {TABLE.name}")
    return wrong


def page(listed: list[Section], held: dict[str, list[str]]) -> str:
    """The whole page."""
    known = [requirement for section in listed for requirement in section.requirements]
    met = sum(requirement.identifier in held for requirement in known)
    tests = {test for names in held.values() for test in names}
    parts = [
        _INTRODUCTION,
        f"{met} of {len(known)} requirements are held by {len(tests)} tests; {len(known) - met} do not apply.\n",
    ]
    for section in listed:
        parts.append(f"{section.title}\n{'-' * len(section.title)}\n")
        parts.append(_table(section, held))
    return "\n".join(parts)


def _table(section: Section, held: dict[str, list[str]]) -> str:
    rule = " ".join("=" * width for width in _WIDTHS)
    lines = [rule, _row("", ("Requirement", "Tests")), rule]
    for requirement in section.requirements:
        cells = _wrapped(requirement.title, 1), _wrapped(_evidence(requirement, held), 2)
        for number in range(max(map(len, cells))):
            name = requirement.identifier if number == 0 else ""
            # an empty first column continues the row; where the others end before, an empty cell would end it
            lines.append(_row(name, tuple(cell[number] if number < len(cell) else "" for cell in cells)))
    lines.append(rule)
    return "\n".join(lines) + "\n"


def _row(name: str, cells: tuple[str, ...]) -> str:
    return " ".join(text.ljust(width) for text, width in zip((name, *cells), _WIDTHS, strict=True)).rstrip()


def _wrapped(text: str, column: int) -> list[str]:
    return textwrap.wrap(text, _WIDTHS[column], break_long_words=False, break_on_hyphens=False)


def _evidence(requirement: Requirement, held: dict[str, list[str]]) -> str:
    tests = list(dict.fromkeys(held.get(requirement.identifier, [])))
    if not tests:
        return f"Not applicable: {requirement.absent}"
    named = ", ".join(tests[:_NAMED])
    more = len(tests) - _NAMED
    text = f"{named} and {more} more" if more > 0 else named
    return f"{text}. {requirement.note}" if requirement.note else text


def main() -> None:
    listed, held = sections(TABLE.read_text()), holders(TESTS)
    for complaint in complaints(listed, held):
        print(complaint)
    PAGE.write_text(page(listed, held))


if __name__ == "__main__":
    main()
