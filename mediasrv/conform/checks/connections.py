"""
CSeq, pipelining, and what sessions have to do with connections (RFC 2326 sections 1.1, 9 and 12.17): CON-1 to CON-8.
"""

from __future__ import annotations

from mediasrv.conform.grading import Failed, Grade, check, unseen
from mediasrv.conform.judging import allOf, expect, refused, require, usable
from mediasrv.conform.ports import openPorts
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer


def _udpViewer(probe: Probe) -> Viewer:
    probe.needUDP()
    return probe.viewer(transport="udp")


@check(
    "CON-1", Grade.MUST, "RFC 2326 12.17", "The CSeq of the request comes back in the answer, whatever number it is."
)
def cseqIsEchoed(probe: Probe) -> None:
    for number in ("0", "1", "1", "7777", "2147483647"):
        reply = probe.connection.ask("OPTIONS", probe.url, [("CSeq", number)])
        expect(reply, 200)
        require(reply.headers.get("CSeq") == number, f"CSeq: {number}", f"CSeq: {reply.headers.get('CSeq')}")


@check("CON-1", Grade.MUST, "RFC 2326 12.17", "Errors carry the CSeq of their request, too.")
def cseqOfErrors(probe: Probe) -> None:
    for method, url in (("FLY", probe.url), ("DESCRIBE", f"{probe.url}-no-such-presentation"), ("PLAY", probe.url)):
        reply = refused(probe.connection.ask(method, url, [("CSeq", "4711")]))
        require(
            reply.headers.get("CSeq") == "4711", "CSeq: 4711", f"{reply.code} with CSeq {reply.headers.get('CSeq')}"
        )


@check("CON-1 STATUS-400", Grade.MUST, "RFC 2326 12.17", "A request without CSeq is refused with 400.")
def cseqIsMissing(probe: Probe) -> None:
    expect(probe.connection.askRaw(f"OPTIONS {probe.url} RTSP/1.0\r\n\r\n".encode()), 400)


@check("CON-1", Grade.SHOULD, "RFC 2326 12.17", "A CSeq that is no number is refused with 400.")
def cseqIsNoNumber(probe: Probe) -> None:
    problems = {}
    for value in ("abc", "-1", "1" * 30):
        connection = probe.connect()
        try:
            code = connection.ask("OPTIONS", probe.url, [("CSeq", value)]).code
            if code != 400:
                problems[f"CSeq: {value}"] = str(code)
        except Failed as failure:
            problems[f"CSeq: {value}"] = failure.got or ""
        connection.close()
    allOf(problems, "400")


@check("CON-2", Grade.MUST, "RFC 2326 9.1", "Requests that come together are answered one by one, in their order.")
def pipelining(probe: Probe) -> None:
    connection = probe.connection
    methods = ["OPTIONS", "DESCRIBE", "OPTIONS", "DESCRIBE", "OPTIONS"]
    requests = [connection.format(method, probe.url, [("CSeq", str(11 + n))]) for n, method in enumerate(methods)]
    connection.sendQuietly(b"".join(requests))
    probe.network.note(">", f"{', '.join(methods)} in one write")
    order = [connection.answer().headers.get("CSeq") for _ in methods]
    require(order == ["11", "12", "13", "14", "15"], "CSeq 11, 12, 13, 14, 15", f"CSeq {', '.join(map(str, order))}")


@check("CON-3", Grade.MUST, "RFC 2326 1.1", "A session over UDP can be controlled from another connection.")
def controlFromElsewhere(probe: Probe) -> None:
    viewer = _udpViewer(probe)
    viewer.play()
    other = probe.connect()
    for method in ("PAUSE", "PLAY", "TEARDOWN"):
        expect(other.ask(method, viewer.url, [("Session", viewer.session)]), 200)
    viewer.session = ""


@check(
    "CON-3",
    Grade.POLICY,
    "RFC 2326 10.12",
    "Nobody else's connection controls a session whose media another one carries.",
)
def noControlOfInterleaved(probe: Probe) -> None:
    viewer = probe.viewer(transport="tcp")
    other = probe.connect()
    refused(other.ask("TEARDOWN", viewer.url, [("Session", viewer.session)]), "454 or another refusal")
    expect(viewer.ask("PLAY"), 200)


@check(
    "CON-4", Grade.SHOULD, "RFC 2326 3.4", "SETUP without Session begins a new session, also on the same connection."
)
def sessionsOnOneConnection(probe: Probe) -> None:
    first = probe.viewer(probe.subject.tracks[:1])
    second = probe.idleViewer(connection=first.connection)
    channels = "RTP/AVP/TCP;unicast;interleaved=20-21"
    if probe.transport == "udp":
        pair = openPorts(probe.network, first.connection.address)
        channels = f"RTP/AVP;unicast;client_port={pair.numbers[0]}-{pair.numbers[1]}"
    reply = expect(second.ask("SETUP", [("Transport", channels)], probe.subject.tracks[0].url), 200)
    second.session = (reply.headers.get("Session") or "").partition(";")[0]
    require(second.session not in ("", first.session), "another Session", f"Session: {second.session}, as before")


@check(
    "CON-5 CON-8",
    Grade.MUST,
    "RFC 2326 1.1",
    "A session over UDP outlives its connection; each request may have its own.",
)
def connectionPerRequest(probe: Probe) -> None:
    viewer = _udpViewer(probe)
    viewer.connection.close()
    for method in ("PLAY", "PAUSE", "TEARDOWN"):
        connection = probe.connect()
        expect(connection.ask(method, viewer.url, [("Session", viewer.session)]), 200)
        connection.close()
    viewer.session = ""


@check(
    "CON-6", Grade.POLICY, "RFC 2326 10.1", "Responses of the client among its requests are taken for what they are."
)
def responsesFromClients(probe: Probe) -> None:
    probe.connection.sendQuietly(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nRTSP/1.0 501 Not Implemented\r\nCSeq: 2\r\n\r\n")
    probe.network.note(">", "RTSP/1.0 200 OK, RTSP/1.0 501 Not Implemented")
    reply = probe.connection.ask("OPTIONS", probe.url, [("CSeq", "3")])
    require(
        reply.code == 200 and reply.headers.get("CSeq") == "3", "200 for the OPTIONS that follows, and nothing else"
    )


@check("CON-7", Grade.SHOULD, "RFC 2326 12.10", "'Connection: close' is answered, then the connection is closed.")
def connectionClose(probe: Probe) -> None:
    expect(probe.connection.ask("OPTIONS", probe.url, [("Connection", "close")]), 200)
    require(probe.connection.waitForClose(2.0), "the connection is closed within 2 s", "it stays open")


@check("CON-8", Grade.POLICY, "RFC 2326 10.12", "An interleaved session ends with its connection.")
def interleavedSessionsEnd(probe: Probe) -> None:
    viewer = probe.viewer(transport="tcp")
    session, viewer.session = viewer.session, ""
    viewer.connection.close()
    probe.network.listen(1.0)
    connection = probe.connect()
    refused(connection.ask("TEARDOWN", viewer.url, [("Session", session)]), "454, a second later")
    usable(connection, probe.url)


unseen(
    "CON-6", "The server asks clients, and counts any answer as a sign of life.", "whether it asks is its own affair"
)
