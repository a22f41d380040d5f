"""What the audio formats share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import series

from mediasrv.media.tracks import Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.frames import Assembly, bundles, cut


@given(
    st.lists(st.integers(1, 300), max_size=60),
    st.integers(20, 500),
    st.integers(0, 4),
    st.integers(1, 9),
    st.floats(0, 0.1),
)
def test_bundlesLoseNothingAndKeepTheirLimits(sizes, room, overhead, most, longest):
    units = series([bytes(size) for size in sizes], 0.01)
    runs = list(bundles(units, room, overhead, most, longest))
    assert [unit for run in runs for unit in run] == units
    for run in runs:
        assert 0 < len(run) <= most
        if len(run) > 1:
            assert sum(len(unit.data) + overhead for unit in run) <= room
            assert len(run) * 0.01 <= longest + 1e-9


def test_bundlesEndAtAGap():
    units = [*series([b"a", b"b"], 0.01), *series([b"c"], 0.01, 0.03)]
    assert [[unit.data for unit in run] for run in bundles(units, 100, 0, 9, 1.0)] == [[b"a", b"b"], [b"c"]]


def test_bundlesEndureMilliseconds():
    units = [Unit(0, round(n * 1024 / 44100, 3), 1024 / 44100, True, b"x") for n in range(8)]
    assert [len(run) for run in bundles(units, 100, 0, 4, 1.0)] == [4, 4]


@given(st.binary(max_size=500), st.integers(1, 600))
def test_cut(data, size):
    pieces = cut(data, size)
    assert b"".join(pieces) == data
    assert all(len(piece) == size for piece in pieces[:-1])


def test_assemblyRefusesToGrow():
    assembly = Assembly(10)
    assembly.begin(1, 0, bytes(6))
    with pytest.raises(PayloadError):
        assembly.extend(2, 0, bytes(5))
    assert (assembly.count, len(assembly)) == (0, 0)


@pytest.mark.parametrize(("sequence", "timestamp"), [(0, 7), (3, 7), (2, 8), (1, 7)])
def test_assemblyForgetsAfterALoss(sequence, timestamp):
    assembly = Assembly(10)
    assembly.begin(1, 7, b"a")
    assert not assembly.extend(sequence, timestamp, b"b")
    assert not assembly.extend(2, 7, b"c")
