"""L{mediasrv.rtsp.transport}."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.messages import HeaderError
from mediasrv.rtsp.transport import TransportSpec, parseTransports


def one(value: str) -> TransportSpec:
    (spec,) = parseTransports(value)
    return spec


@pytest.mark.requirement("SET-4", "SET-5", "SET-8")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # SET-4
        ("RTP/AVP", TransportSpec()),
        ("RTP/AVP/UDP", TransportSpec()),
        ("rtp/avp/tcp", TransportSpec(lower="TCP")),
        ("RTP/AVPF;unicast", TransportSpec(profile="AVPF", unicast=True)),
        ("RTP/SAVP;multicast", TransportSpec(profile="SAVP", unicast=False)),
        ("MP2T/H2221/UDP;unicast", TransportSpec("MP2T", "H2221", unicast=True)),
        # SET-5
        ("RTP/AVP;client_port=5000-5001", TransportSpec(clientPort=(5000, 5001))),
        ("RTP/AVP;client_port=5000", TransportSpec(clientPort=(5000, 5001))),
        ("RTP/AVP; Client_Port = 5000 - 5003 ", TransportSpec(clientPort=(5000, 5003))),
        ("RTP/AVP;client_port=1-65535", TransportSpec(clientPort=(1, 65535))),
        ("RTP/AVP;port=3456-3457;ttl=127;layers=2", TransportSpec(port=(3456, 3457), ttl=127, layers=2)),
        ("RTP/AVP;server_port=6-7;source=10.0.0.1", TransportSpec(serverPort=(6, 7), source="10.0.0.1")),
        ("RTP/AVP;destination=[fe80::1%25eth0]", TransportSpec(destination="[fe80::1%25eth0]")),
        ("RTP/AVP;destination", TransportSpec()),
        ("RTP/AVP;ssrc=4d3C2b1A", TransportSpec(ssrc=0x4D3C2B1A)),
        ("RTP/AVP;ssrc=FF", TransportSpec(ssrc=0xFF)),
        ("RTP/AVP;ssrc=ZZ", TransportSpec()),
        ("RTP/AVP;ssrc=123456789", TransportSpec()),
        *[(f"RTP/AVP;mode={mode}", TransportSpec()) for mode in ("PLAY", "play", '"PLAY"', '""', "", '"PLAY,RECORD"')],
        *[
            (f"RTP/AVP;mode={mode}", TransportSpec(mode="RECORD"))
            for mode in ("RECORD", "record", '"record"', "receive", '"RECEIVE"', '"RECORD,PLAY"')
        ],
        ("RTP/AVP;mode=record;append", TransportSpec(mode="RECORD", append=True)),
        ("RTP/AVP;;x-foo;y=1-2; ;unicast;", TransportSpec(unicast=True)),
        ("RTP/AVP;unicast;multicast;client_port=1-2;client_port=3-4", TransportSpec(unicast=True, clientPort=(1, 2))),
        # SET-7, SET-8
        ("RTP/AVP/TCP;interleaved=0-1", TransportSpec(lower="TCP", interleaved=(0, 1))),
        ("RTP/AVP/TCP;interleaved=254", TransportSpec(lower="TCP", interleaved=(254, 255))),
        ("RTP/AVP/TCP;interleaved=3-7", TransportSpec(lower="TCP", interleaved=(3, 7))),
        ("RTP/AVP/TCP;interleaved", TransportSpec(lower="TCP")),
        # RTCP-9
        ("RTP/AVP;client_port=5000-5000", TransportSpec(clientPort=(5000, 5000), rtcpMux=True)),
        ("RTP/AVP;RTCP-mux;client_port=5000", TransportSpec(clientPort=(5000, 5000), rtcpMux=True)),
        ("RTP/AVP;client_port=5000-5001;rtcp-mux", TransportSpec(clientPort=(5000, 5000), rtcpMux=True)),
        ("RTP/AVP/TCP;RTCP-mux;interleaved=4-4", TransportSpec(lower="TCP", interleaved=(4, 4), rtcpMux=True)),
        ("RTP/AVP/TCP;interleaved=4;RTCP-MUX", TransportSpec(lower="TCP", interleaved=(4, 4), rtcpMux=True)),
        ("RTP/AVP/TCP;RTCP-mux", TransportSpec(lower="TCP", rtcpMux=True)),
        ("RTP/AVP;multicast;RTCP-mux;port=5000-5001", TransportSpec(unicast=False, port=(5000, 5001))),
    ],
)
def test_alternative(value: str, expected: TransportSpec) -> None:
    assert one(value) == expected


@pytest.mark.requirement("SEC-9", "SET-16")
@pytest.mark.parametrize(
    "parameter",
    [
        *(f"client_port={ports}" for ports in ("0", "0-0", "0-1", "-1", "65535", "65535-65536", "99999", "70000-1")),
        *(
            f"client_port={ports}"
            for ports in ("5001-5000", "a-b", "5000-", "5000-5001-5002", "1e3", "123456", "٣", "+5")
        ),
        *(f"interleaved={channels}" for channels in ("256-257", "255", "-1", "0-0", "1-0", "x", "0-256")),
        *("ttl=999", "ttl=256", "ttl=-1", "ttl=x", "layers=99999", "layers=0", "mode=FOO", "port=0", "server_port=0"),
        *("destination=a b", "destination=" + "a" * 256, "destination=a/b", "source=é", 'client_port="' + "9" * 10240),
    ],
)
def test_uselessAlternative(parameter: str) -> None:
    """SEC-9, SET-16: it is skipped, the next one counts; with none left the list is empty, which is 461."""
    assert parseTransports(f"RTP/AVP;unicast;{parameter}") == []
    if '"' not in parameter:
        assert one(f"RTP/AVP;{parameter},RTP/AVP/TCP;interleaved=2-3").interleaved == (2, 3)


@pytest.mark.requirement("SET-3")
def test_orderOfPreference() -> None:
    """SET-3; a comma in quotes separates nothing."""
    specs = parseTransports('RTP/FOO;mode="PLAY,RECORD", nonsense, RTP/AVP/SCTP,, RTP/AVP/TCP;unicast;interleaved=0-1')
    assert [(spec.profile, spec.lower) for spec in specs] == [("FOO", "UDP"), ("AVP", "TCP")]


@pytest.mark.requirement("SEC-9")
@pytest.mark.parametrize(
    "value", ["", " ", ",", ";", "unicast", "RTP", "RTP/", "/AVP/TCP", "RTP/AVP/TCP/X", "é/AVP", '"']
)
def test_noTransport(value: str) -> None:
    with pytest.raises(HeaderError) as caught:
        parseTransports(value)
    assert caught.value.code == 400


@pytest.mark.requirement("SEC-9")
def test_manyAlternatives() -> None:
    """SEC-9: 64 are looked at, the others are not."""
    specs = parseTransports(",".join(f"RTP/AVP;client_port={port}" for port in range(1, 301)))
    assert [spec.clientPort for spec in specs] == [(port, port + 1) for port in range(1, 65)]


@pytest.mark.requirement("SET-6")
def test_replies() -> None:
    """SET-6: what clients look for, as they look for it."""
    spec = TransportSpec(unicast=True, clientPort=(5000, 5001), serverPort=(8000, 8001), ssrc=0xABC)
    assert spec.format() == "RTP/AVP;unicast;client_port=5000-5001;server_port=8000-8001;ssrc=00000ABC"
    spec = TransportSpec(lower="TCP", unicast=True, interleaved=(0, 1), mode="RECORD")
    assert spec.format() == "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
    spec = TransportSpec(unicast=False, destination="224.2.0.1", port=(3456, 3457), ttl=16)
    assert spec.format() == "RTP/AVP;multicast;destination=224.2.0.1;port=3456-3457;ttl=16"


def pairs(lowest: int, highest: int) -> st.SearchStrategy[tuple[int, int] | None]:
    ordered = st.tuples(st.integers(lowest, highest), st.integers(lowest, highest)).map(
        lambda pair: tuple(sorted(pair))
    )
    return st.none() | ordered.filter(lambda pair: pair[0] < pair[1])


addresses = st.none() | st.ip_addresses().map(str)


@pytest.mark.requirement("SET-6")
@given(
    st.builds(
        TransportSpec,
        profile=st.sampled_from(["AVP", "AVPF", "SAVP", "SAVPF"]),
        lower=st.sampled_from(["UDP", "TCP"]),
        unicast=st.sampled_from([None, True, False]),
        clientPort=pairs(1, 65535),
        interleaved=pairs(0, 255),
        destination=addresses,
        source=addresses,
        port=pairs(1, 65535),
        ttl=st.none() | st.integers(0, 255),
        layers=st.none() | st.integers(1, 255),
        ssrc=st.none() | st.integers(0, 2**32 - 1),
        mode=st.sampled_from(["PLAY", "RECORD"]),
        append=st.booleans(),
        serverPort=pairs(1, 65535),
    )
)
def test_parseIsInverseOfFormat(spec: TransportSpec) -> None:
    assert one(spec.format()) == spec


@pytest.mark.requirement("SEC-9")
@given(st.one_of(st.text(), st.text('RTP/AVC;,="-01 unicastmodel_pr', max_size=60).map("RTP/AVP;".__add__)))
def test_garbage(value: str) -> None:
    """SEC-9: nothing but L{HeaderError} comes out, and what is accepted can be written."""
    try:
        specs = parseTransports(value)
    except HeaderError:
        return
    for spec in specs:
        assert one(spec.format()) == spec
