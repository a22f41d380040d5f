"""A server with a quiet and a loud file, and the canary."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attack import Canary, Target, makeWave


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    makeWave(folder / "quiet.wav")
    makeWave(folder / "loud.wav", rate=192000, seconds=20)
    return folder


@pytest_twisted.async_yield_fixture
async def serve(cleanReactor: None) -> AsyncIterator[Callable[..., Target]]:
    """Makes servers: a folder, and settings."""
    targets: list[Target] = []

    def make(folder: Path, **settings: Any) -> Target:
        targets.append(Target(folder, **settings))
        return targets[-1]

    yield make
    for target in targets:
        await target.stop()


@pytest.fixture
def target(folder: Path, serve: Callable[..., Target]) -> Target:
    return serve(folder)


@pytest_twisted.async_yield_fixture
async def canary(target: Target) -> AsyncIterator[Canary]:
    yield await Canary.start(target)
