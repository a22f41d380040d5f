"""Real sound for the tests of the audio payload formats, and a network that may lose some of their packets."""

from __future__ import annotations

import fractions
from collections.abc import Collection, Iterable, Sequence

import av

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.registry import unpackerFor

#: both wrap soon
FIRST_SEQUENCE = 0xFFF0
FIRST_TIMESTAMP = 0xFFFFF000

Packet = tuple[int, int, bool, bytes]


def encode(
    encoder: str,
    rate: int = 48000,
    layout: str = "stereo",
    seconds: float = 0.5,
    codec: str = "",
    options: dict[str, str] | None = None,
    bitRate: int = 128_000,
) -> tuple[Track, list[Unit]]:
    """Encodes noise; C{codec} is the codec's own name where the encoder's is another."""
    context = av.CodecContext.create(encoder, "w")
    context.sample_rate, context.layout, context.bit_rate = rate, layout, bitRate
    context.format = context.codec.audio_formats[0]
    context.time_base = fractions.Fraction(1, rate)
    context.options = {"strict": "-2", **(options or {})}
    graph = av.filter.Graph()
    source = graph.add("anoisesrc", f"r={rate}:a=0.2:seed=7:d={seconds}")
    convert = graph.add("aformat", f"sample_fmts={context.format.name}:channel_layouts={layout}:sample_rates={rate}")
    sink = graph.add("abuffersink")
    source.link_to(convert)
    convert.link_to(sink)
    graph.configure()
    packets = []
    while True:
        try:
            packets += context.encode(graph.pull())
        except (av.BlockingIOError, av.EOFError):
            break
    packets += context.encode(None)
    units = [
        Unit(packet.pts / rate, packet.pts / rate, (packet.duration or 0) / rate, True, bytes(packet))
        for packet in packets
        if packet.size
    ]
    name = codec or encoder
    profile = 1 if name == "aac" else -99
    channels = context.layout.nb_channels
    extradata = bytes(context.extradata or b"")
    return Track(0, "audio", name, extradata, sampleRate=rate, channels=channels, profile=profile), units


def series(frames: Iterable[bytes], duration: float, start: float = 0.0) -> list[Unit]:
    """Units of equal duration that follow each other."""
    return [
        Unit(start + number * duration, start + number * duration, duration, True, frame)
        for number, frame in enumerate(frames)
    ]


def parametersOf(payloadFormat: PayloadFormat) -> dict[str, str]:
    """The format parameters as a session description's reader has them."""
    pairs = [pair.partition("=") for pair in payloadFormat.formatParameters().split(";") if pair]
    return {name: value for name, _, value in pairs}


def unpackerOf(payloadFormat: PayloadFormat) -> Unpacker:
    """What a receiver makes of the format's lines in a session description."""
    return unpackerFor(
        payloadFormat.encodingName, payloadFormat.clockRate, payloadFormat.channels, parametersOf(payloadFormat)
    )


def checkGroups(groups: Sequence[PayloadGroup], limit: int) -> None:
    """What L{PayloadGroup} promises."""
    for group in groups:
        assert group.payloads
        sizes = [len(payload) for payload in group.payloads]
        assert max(sizes) <= limit
        assert set(sizes[:-1]) <= {sizes[0]}
        assert sizes[-1] <= sizes[0]


def send(groups: Iterable[PayloadGroup], clockRate: int) -> list[list[Packet]]:
    """The packets of each group."""
    sequence = FIRST_SEQUENCE
    sent = []
    for group in groups:
        timestamp = (FIRST_TIMESTAMP + round(group.pts * clockRate)) & 0xFFFFFFFF
        packets = []
        for number, payload in enumerate(group.payloads):
            last = group.marker and number == len(group.payloads) - 1
            packets.append((sequence & 0xFFFF, timestamp, last, payload))
            sequence += 1
        sent.append(packets)
    return sent


def receive(unpacker: Unpacker, packets: Iterable[Packet]) -> list[ReceivedUnit]:
    return [unit for packet in packets for unit in unpacker.push(*packet)]


def transmit(payloadFormat: PayloadFormat, units: Sequence[Unit], limit: int) -> list[ReceivedUnit]:
    """What arrives of the units when nothing is lost."""
    groups = payloadFormat.pack(units, limit)
    checkGroups(groups, limit)
    sent = send(groups, payloadFormat.clockRate)
    return receive(unpackerOf(payloadFormat), [packet for packets in sent for packet in packets])


def checkReceived(payloadFormat: PayloadFormat, units: Sequence[Unit], received: Sequence[ReceivedUnit]) -> None:
    """All units, and on time to one tick."""
    assert [unit.data for unit in received] == [unit.data for unit in units]
    for unit, got in zip(units, received, strict=True):
        assert 0 <= got.timestamp <= 0xFFFFFFFF
        ticks = (got.timestamp - FIRST_TIMESTAMP + 0x80000000) % (1 << 32) - 0x80000000
        assert abs(ticks - unit.pts * payloadFormat.clockRate) <= 1.01


def checkLoss(payloadFormat: PayloadFormat, units: Sequence[Unit], limit: int, lost: Collection[int]) -> None:
    """Of the groups that lost no packet all arrives; of the others nothing."""
    sent = send(payloadFormat.pack(units, limit), payloadFormat.clockRate)
    unpacker = unpackerOf(payloadFormat)
    expected: list[bytes] = []
    received: list[bytes] = []
    number = 0
    for packets in sent:
        numbers = range(number, number + len(packets))
        number = numbers.stop
        if not set(numbers) & set(lost):
            expected += [unit.data for unit in receive(unpackerOf(payloadFormat), packets)]
        arrived = [packet for place, packet in zip(numbers, packets, strict=True) if place not in lost]
        received += [unit.data for unit in receive(unpacker, arrived)]
    assert received == expected


def checkGarbage(unpacker: Unpacker, packets: Iterable[Packet]) -> None:
    """Raises what is no L{PayloadError}."""
    for packet in packets:
        try:
            units = unpacker.push(*packet)
        except PayloadError:
            continue
        assert all(0 <= unit.timestamp <= 0xFFFFFFFF and unit.data for unit in units)
