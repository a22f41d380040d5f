"""
From what the crowds counted to figures, and figures to a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from observing import Usage
from options import LoadOptions

#: below this part of real time a viewer is too slow
_SLOW = 0.98


def quantiles(values: Iterable[float], scale: float = 1.0) -> dict[str, float]:
    """Median, 99 % and largest; empty without values."""
    ordered = sorted(values)
    if not ordered:
        return {}
    last = len(ordered) - 1
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[round(place * last)] * scale, 3) for name, place in places.items()}


def figures(options: LoadOptions, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    What the viewers saw.

    @param results: of each crowd.
    """
    wall = max(result["wall"] for result in results)
    viewers = [
        (tracks, result["wall"])
        for result in results
        for tracks, state in zip(result["tracks"], result["states"], strict=True)
        if state == "playing"
    ]
    tracks = [(track, seconds) for viewer, seconds in viewers for track in viewer]
    total = {
        name: sum(track[name] for track, _ in tracks) for name in ("packets", "bytes", "lost", "late", "duplicates")
    }
    leading = [(_leading(viewer), seconds) for viewer, seconds in viewers]
    # who pauses is behind, and silent meanwhile
    paces = sorted(track["media"] / track["clock"] / seconds for track, seconds in leading if not options.seek)
    states = Counter(state for result in results for state in result["states"])
    times: dict[str, list[float]] = {}
    for result in results:
        for each in result["times"]:
            for name, values in each.items():
                times.setdefault(name, []).extend(values)
    return {
        "options": asdict(options),
        "sockets": results[0]["sockets"],
        "wall": round(wall, 3),
        "viewers": {
            "playing": states["playing"],
            "idle": states["ready"],
            "failed": states["failed"] + states["beginning"],
            "silent": sum(any(not track["packets"] for track in viewer) for viewer, _ in viewers),
            "slow": sum(pace < _SLOW for pace in paces),
            "lossy": sum(any(track["lost"] > 0 for track in viewer) for viewer, _ in viewers),
            "errors": dict(Counter(error for result in results for error in result["errors"]).most_common(5)),
        },
        **total,
        "unknown": sum(result["unknown"] for result in results),
        "droppedByUs": sum(result["dropped"] for result in results),
        "packetsPerSecond": round(total["packets"] / wall, 1),
        "megabitsPerSecond": round(total["bytes"] * 8 / wall / 1e6, 3),
        "pace": {"min": round(paces[0], 4), "p50": round(paces[len(paces) // 2], 4)} if paces else {},
        "stallMilliseconds": quantiles((track["gap"] for track, _ in leading), 1e3) if not options.seek else {},
        "milliseconds": {name: quantiles(values, 1e3) for name, values in sorted(times.items())},
        "client": {
            "processes": len(results),
            "busiestPercentOfCore": round(max(100 * result["cpu"] / result["wall"] for result in results), 1),
            "longestAwayMilliseconds": round(max(1e3 * result["longest"] for result in results), 1),
            "cpuSeconds": round(sum(result["cpu"] for result in results), 3),
        },
    }


def _leading(viewer: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The track whose pace and silences a viewer notices: the video, if there is one."""
    return next((track for track in viewer if track["kind"] == "video"), viewer[0])


def serverFigures(
    options: LoadOptions, found: dict[str, Any], stages: Sequence[Usage], samples: Sequence[int], busy: float
) -> dict[str, Any]:
    """
    What the server used for it.

    @param found: the L{figures}.
    @param stages: before the first viewer, with the baseline, at the beginning and at the end of the measurement.
    @param samples: its memory, once a second of the measurement.
    @param busy: seconds that all cores were busy meanwhile.
    """
    before, baseline, begin, end = stages
    cpu = end.cpu - begin.cpu
    others = busy - cpu - found["client"]["cpuSeconds"]
    beyond = options.viewers - options.baseline
    third = max(1, len(samples) // 3)
    return {
        "cpuSeconds": round(cpu, 4),
        "percentOfCore": round(100 * cpu / found["wall"], 2),
        "cpuSecondsPerGB": round(cpu / found["bytes"] * 1e9, 4) if found["bytes"] else None,
        "microsecondsPerPacket": round(cpu / found["packets"] * 1e6, 3) if found["packets"] else None,
        "megabytes": {
            "before": _mega(before.memory),
            "baseline": _mega(baseline.memory),
            "begin": _mega(begin.memory),
            "end": _mega(end.memory),
        },
        "kilobytesPerViewer": round((begin.memory - before.memory) / options.viewers / 1e3, 1),
        "kilobytesPerFurtherViewer": round((begin.memory - baseline.memory) / beyond / 1e3, 1) if beyond > 0 else None,
        "megabytesGrown": _mega(max(samples[-third:]) - max(samples[:third])) if samples else None,
        "descriptors": {"before": before.descriptors, "end": end.descriptors},
        "threads": end.threads,
        "othersPercentOfMachine": round(100 * max(0.0, others) / found["wall"], 1),
    }


def _mega(size: int) -> float:
    return round(size / 1e6, 2)


def rows(found: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested figures as lines of name and value."""
    lines: list[tuple[str, str]] = []
    for name, value in found.items():
        if isinstance(value, dict) and value and all(isinstance(each, int | float) for each in value.values()):
            lines.append((prefix + name, "  ".join(f"{key} {each:,}" for key, each in value.items())))
        elif isinstance(value, dict):
            lines += rows(value, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, f"{value:,}" if isinstance(value, int | float) else str(value)))
    return lines


def table(lines: Sequence[Sequence[str]], heading: Sequence[str] = ()) -> str:
    """Columns as wide as they need to be."""
    everything = [*([heading] if heading else []), *lines]
    widths = [max(len(line[column]) for line in everything) for column in range(len(everything[0]))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in everything]
    if heading:
        texts.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(text.rstrip() for text in texts)
