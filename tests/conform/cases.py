"""
Which check notices which lie.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from liar import Lie
from lies import (
    AfterBye,
    Asked,
    Backwards,
    Bytes,
    Codes,
    Counting,
    Description,
    Disordered,
    Eager,
    Header,
    Incoming,
    LateReports,
    Media,
    Muted,
    Picky,
    Reports,
    Silent,
    Slashless,
    Stranger,
    Stray,
    Stubborn,
    Tardy,
    Versions,
    again,
    alwaysFirst,
    bareStatus,
    bent,
    changed,
    deaf,
    drop,
    faster,
    firstAlone,
    fromSecondPlay,
    gapAfterSecondPlay,
    gone,
    hangUp,
    instead,
    late,
    later,
    laterWithoutRange,
    lines,
    moved,
    openRange,
    otherName,
    otherOnSecond,
    otherSource,
    second,
    setTo,
    soonBye,
    swallow,
    swapped,
    times,
    without,
    withoutBye,
    withoutHeader,
    withoutTime,
)

from mediasrv.rtsp.messages import InterleavedFrame


@dataclass
class Case:
    """
    @ivar noticed: names of the checks that fail.
    @ivar unharmed: names of some that pass all the same.
    @ivar got: what one of the failures says, at least.
    """

    name: str
    lie: Callable[[], Lie]
    noticed: str
    unharmed: str = ""
    got: str = ""
    transport: str = "tcp"
    film: str = "film.mp4"
    options: list[str] = field(default_factory=list)


_REFUSALS = """
    methodsAreCaseSensitive noDescriptionOfEverything repeatedHeaders badContentLength hugeContentLength cseqIsMissing
    cseqIsNoNumber notFound otherVersions optionsOfUnknownSession unacceptableTypes setUpOfUnknownSession noTransport
    transportIsMissing setUpOfAggregate badBlocksize impossiblePorts playWithoutSession unknownUnit bytesRange
    malformedRange startBeyondTheEnd endBeforeStart twoRanges badScale badSpeed pauseOutside pauseInReady
    pauseWithoutSession tearDownEnds tearDownWithoutSession playAndTearDown getUnknown getOddType setUnknown
    redirectFromClient unknownMethod methodsOfOtherURLs stateInit stateReady statePlaying refusedSetUp requireOfUnknown
    proxyRequire requireBeforeAll sessionInErrors entityTags strangePaths manyRequests noControlOfInterleaved
    interleavedSessionsEnd multicast
"""
_ODD = """
    lineEndings blankLines headerNamesInAnyCase foldedHeaders spacesAndEmptyValues optionsOfTheServer absolutePaths
    requestInPieces unknownHeaders acceptedTypes headersOfHTTP harmlessHeaders headersOfQuickTime percentEncoding
    responsesFromClients connectionClose conferences modes unknownParameters singlePort unicastIsMeant lowerTransport
    getNothing getNothingWithoutSession setNothing setByHeader timeoutIsRepeated rangeFromZero rangeFromNow
    normalPlayTime rangeWithoutStart timeCodes timeIsPast askedChannels channelsAreMissing singleChannel
    notModified
"""
_REFUSED = (400, 403, 404, 405, 406, 412, 413, 415, 416, 451, 454, 455, 457, 458, 459, 460, 461, 501, 505, 551)

LIES = [
    Case("agrees", lambda: Codes(dict.fromkeys(_REFUSED, 200)), _REFUSALS, "cseqIsEchoed pipelining bundling"),
    Case("picky", Picky, _ODD, "cseqIsMissing requiredMethods pauseStops rtpInfo"),
    Case("500 for 404", lambda: Codes({404: 500}), "formsOfURL notFound strangePaths", "descriptions"),
    Case("461 first", lambda: Codes({461: 406}), "noTransport multicast", "listOfTransports"),
    Case("two transports", lambda: Header("Transport", second), "listOfTransports firstOfTransports", "bundling"),
    Case("no reason", lambda: Bytes(bareStatus), "statusLines", "requiredMethods cseqIsEchoed"),
    Case("odd dates", lambda: Header("Date", instead("23 Jan 1997 15:35:06 GMT"), add=True), "dates", "cseqIsEchoed"),
    Case(
        "CSeq",
        lambda: Bytes(lambda data: data.replace(b"CSeq: ", b"CSeq: 1")),
        "cseqIsEchoed cseqOfErrors pipelining bodiesAreSkipped",
        "descriptions normalPlayTime",
        got="CSeq: 10",
    ),
    Case("disorder", Disordered, "pipelining", "cseqIsEchoed descriptions", got="CSeq"),
    Case(
        "bodies are requests",
        lambda: Incoming(lambda data: data.replace(b"Content-Length: ", b"X-Length: ")),
        "bodiesAreSkipped",
        "cseqIsEchoed",
    ),
    Case(
        "long lines",
        lambda: Incoming(swallow(lambda data: len(data) > 5000)),
        "longLines",
        "cseqIsEchoed",
        got="silence",
        options=["--timeout", "1"],
    ),
    Case("strangers", Stranger, "controlFromElsewhere connectionPerRequest", "pausedIsReady", transport="udp"),
    Case(
        "one session",
        lambda: Header("Session", alwaysFirst, ["SETUP"]),
        "sessionsOnOneConnection setUpAnew",
        "bundling",
    ),
    Case("no PLAY", lambda: Header("Public", without(r"PLAY, ")), "requiredMethods", "recommendedMethods"),
    Case("no PAUSE", lambda: Header("Public", without(r"PAUSE, ")), "recommendedMethods", "requiredMethods"),
    Case("no GET", lambda: Header("Public", without(r"GET_PARAMETER, ")), "keepAliveMethod", "requiredMethods"),
    Case("OPTIONS stops", lambda: Muted("OPTIONS"), "optionsWhilePlaying", "pauseStops", got="no packet"),
    Case("other type", lambda: Header("Content-Type", instead("text/plain")), "descriptions", "acceptedTypes"),
    Case("no slash", lambda: Header("Content-Base", without(r"/$")), "contentBase", "descriptions rtpInfo"),
    Case(
        "describes once", lambda: Codes({200: 455}, ["DESCRIBE"], playing=True), "repeatedDescriptions", "descriptions"
    ),
    Case(
        "short ids",
        lambda: Header("Session", instead("abc1234"), ["SETUP"]),
        "sessionIdentifiers",
        "plainSessionIdentifiers",
    ),
    Case(
        "rich ids",
        lambda: Header("Session", instead("abc-_.$+123"), ["SETUP"]),
        "plainSessionIdentifiers",
        "sessionIdentifiers",
    ),
    Case(
        "ids count", lambda: Header("Session", Counting(), ["SETUP"]), "randomSessionIdentifiers", "sessionIdentifiers"
    ),
    Case("no bundling", lambda: Header("Session", otherOnSecond, ["SETUP"]), "bundling", "sessionIdentifiers"),
    Case("no client_port", lambda: Header("Transport", without(r"client_port=[0-9-]+;")), "udpReply", "serverPorts"),
    Case("no server_port", lambda: Header("Transport", without(r"server_port=[0-9-]+;")), "serverPorts", "udpReply"),
    Case(
        "no channels",
        lambda: Header("Transport", without(r"interleaved=[0-9-]+;")),
        "interleavedReply",
        "sessionIdentifiers",
    ),
    Case(
        "no ssrc", lambda: Header("Transport", without(r";ssrc=[0-9A-F]+")), "ssrcInReply", "interleavedReply ssrcStays"
    ),
    Case(
        "channels apart",
        lambda: Header("Transport", lambda value, request, link: value.replace("=4-5", "=4-7")),
        "singleChannel",
        "askedChannels",
    ),
    Case("no slash in URLs", Slashless, "slashAtTheEnd", "descriptions"),
    Case(
        "shared channels",
        lambda: Header(
            "Transport", lambda value, request, link: re.sub("interleaved=[0-9-]+", "interleaved=0-1", value)
        ),
        "takenChannels askedChannels",
        "interleavedReply",
    ),
    Case(
        "aggregate alone", lambda: Codes({200: 459}, ["SETUP"]), "setUpOfOnlyTrack", "descriptions", film="silent.mp4"
    ),
    Case(
        "sets up once",
        Stubborn,
        "transportIsChanged",
        "bundling pausedIsReady",
    ),
    Case(
        "other destination",
        lambda: Header(
            "Transport", lambda value, request, link: value.replace(";unicast", ";unicast;destination=192.0.2.1")
        ),
        "otherDestination",
        "udpReply",
    ),
    Case(
        "SETUP while playing",
        lambda: Codes({455: 500, 200: 500}, ["SETUP"], playing=True),
        "transportWhilePlaying",
        "transportIsChanged",
    ),
    Case("blocks", lambda: Asked(withoutHeader("Blocksize")), "blocksize badBlocksize", "rtpInfo"),
    Case("no play over UDP", lambda: Codes({200: 503}, ["PLAY"]), "natPunching", "udpReply", transport="udp"),
    Case(
        "says later",
        lambda: Header("Range", laterWithoutRange, ["PLAY"]),
        "playFromTheBeginning playAfterPause playAfterARange",
        "normalPlayTime",
    ),
    Case(
        "leaps",
        lambda: Media(fromSecondPlay(5.0)),
        "playWhilePlaying pauseInTimestamps",
        "timestampsGoOn seqOfFirstPacket",
    ),
    Case("no time", lambda: Asked(withoutTime), "timeIsToCome", "timeIsPast"),
    Case(
        "open ranges",
        lambda: Asked(openRange),
        "stopAtTheEndOfARange playAfterARange rangesAreHalfOpen",
        "normalPlayTime",
    ),
    Case("single tracks", lambda: Codes({460: 501, 200: 501}, ["PLAY"]), "playOneTrack", "descriptions"),
    Case("pause a track", lambda: Codes({460: 501, 200: 501}, ["PAUSE"]), "pauseOneTrack", "playOneTrack"),
    Case(
        "end a track",
        lambda: Codes({460: 501, 200: 501}, ["TEARDOWN"]),
        "tearDownOneTrack tearDownInReady pausedIsReady",
        "playOneTrack",
    ),
    Case(
        "RTP-Info of all",
        lambda: Header("RTP-Info", lambda value, request, link: f"{value},{value}"),
        "playSomeTracks rtpInfo",
        "pauseStops",
    ),
    Case("no Range", lambda: Header("Range", gone), "rangeOfTheReply rangeWithoutRequest rangeOfPause", "rtpInfo"),
    Case(
        "no end", lambda: Header("Range", without(r"(?<=-)[0-9.]+$")), "endOfTheReply", "rangeIsPlain rangeOfTheReply"
    ),
    Case(
        "hours",
        lambda: Header("Range", lambda value, request, link: value.replace("npt=0.000", "npt=0:00:00")),
        "rangeIsPlain",
        "rangeWithoutRequest",
    ),
    Case("starts later", lambda: Header("Range", later(2.0)), "startIsNotLater", "rangeOfTheReply"),
    Case(
        "other clock",
        lambda: Header("Range", instead("npt=0-1"), ["PLAY"], add=True),
        "timeCodes",
        "rangeIsPlain",
    ),
    Case("UTC", lambda: Codes({457: 404, 501: 404}, ["PLAY"]), "utcRange", "timeCodes"),
    Case("neither range", lambda: Muted("PLAY", plays=2), "playAnotherRange", "stopAtTheEndOfARange"),
    Case(
        "deaf to PAUSE",
        lambda: Asked(deaf("PAUSE")),
        "pauseStops pauseEndsAll pauseAtAPoint pauseAtAPassedPoint",
        "tearDownStops",
    ),
    Case(
        "gap",
        lambda: Media(gapAfterSecondPlay),
        "pauseKeepsStep seqOfFirstPacket sequenceNumbers sequenceOfTwoRanges",
        "pauseStops",
    ),
    Case("no PAUSE at the end", lambda: Codes({200: 455}, ["PAUSE"]), "pauseAfterARange", "pauseInReady"),
    Case("deaf to TEARDOWN", lambda: Asked(deaf("TEARDOWN")), "tearDownStops tearDownEnds", "pauseStops"),
    Case("refusal stops", lambda: Muted("PLAY", [457]), "refusedPlay", "refusedPause"),
    Case("refusal pauses", lambda: Muted("PAUSE", [551]), "refusedPause", "refusedPlay"),
    Case(
        "no Allow",
        lambda: Bytes(lambda data: re.sub(rb"\r\nAllow: [^\r]*", b"", data)),
        "allowWith455 methodsOfOtherURLs",
        "notFound",
    ),
    Case("no Timestamp", lambda: Header("Timestamp", gone), "timestamps", "serverHeader"),
    Case("no Server", lambda: Header("Server", gone), "serverHeader", "timestamps"),
    Case("no Session", lambda: Header("Session", gone, ["PLAY", "PAUSE"]), "sessionInReplies", "pauseStops"),
    Case("no Scale", lambda: Header("Scale", gone), "scaleIsAnswered", "rtpInfo"),
    Case(
        "double Scale",
        lambda: Header("Scale", times(2)),
        "scaleTwo scaleHalf",
        "stopAtTheEndOfARange",
        got="of RTP time",
    ),
    Case(
        "backwards",
        Backwards,
        "scaleBackwards",
        "descriptions",
    ),
    Case("stays at 2", lambda: Header("Scale", instead("2.0")), "scaleWhilePlaying", "scaleIsAnswered"),
    Case("double Speed", lambda: Header("Speed", times(2), ["PLAY"], add=True), "speedTwo", "scaleIsAnswered"),
    Case(
        "Seek-Style", lambda: Header("Seek-Style", instead("Next"), ["PLAY"], add=True), "seekStyle", "normalPlayTime"
    ),
    Case(
        "other URLs",
        lambda: Header("RTP-Info", lambda value, request, link: value.replace("/trackID", "/other/trackID")),
        "urlsOfRTPInfo",
        "seqOfFirstPacket rtpInfo",
    ),
    Case(
        "more in RTP-Info",
        lambda: Header("RTP-Info", lambda value, request, link: value.replace(";seq", ";ssrc=12;seq")),
        "plainRTPInfo",
        "pauseStops",
    ),
    Case(
        "seq by one",
        lambda: Header("RTP-Info", moved("trackID=1;seq=", 1)),
        "seqOfFirstPacket",
        "rtptimeOfRange rtpInfo urlsOfRTPInfo sequenceNumbers",
        got="audio",
    ),
    Case(
        "rtptime by 2 s",
        lambda: Header("RTP-Info", moved("trackID=0;seq=[0-9]+;rtptime=", -180000)),
        "rtptimeOfRange reportsAgree",
        "seqOfFirstPacket",
        got="video",
    ),
    Case("a packet less", lambda: Media(drop(20)), "sequenceNumbers", "timestampsGoOn ssrcStays"),
    Case("time goes back", lambda: Media(fromSecondPlay(-10.0)), "timestampsGoOn pauseInTimestamps", "sequenceNumbers"),
    Case("no markers", lambda: Media(setTo(marker=False)), "markerOfFirstSound", "sequenceNumbers"),
    Case("other SSRC", lambda: Media(otherSource), "ssrcStays", "sequenceNumbers ssrcsDiffer"),
    Case("one SSRC", lambda: Media(setTo(ssrc=7)), "ssrcsDiffer ssrcStays reportsAreOfTheTrack", "sequenceNumbers"),
    Case("other type of payload", lambda: Media(setTo(payloadType=127)), "payloadTypes", "ssrcsDiffer"),
    Case("time again", lambda: Media(again), "orderOfTimestamps", "sequenceNumbers"),
    Case("double pace", lambda: Media(faster), "pace", "sequenceNumbers"),
    Case("late", lambda: Media(late), "firstPacket", "pace"),
    Case("tardy", Tardy, "nothingOldAfterTheReply", "nothingBeforeTheReply", got="video"),
    Case("early", Eager, "nothingBeforeTheReply", "timestamps"),
    Case("stray frames", lambda: Stray(InterleavedFrame(77, bytes(12))), "framesAndReplies", "shortFrames", got="77"),
    Case("short frames", lambda: Stray(InterleavedFrame(77, b"tiny")), "shortFrames framesAndReplies", "pace"),
    Case(
        "hangs up at frames",
        lambda: Incoming(hangUp(lambda data: data.startswith(b"$"))),
        "reportsFromClients oddFrames",
        "framesAndReplies",
        got="closed",
    ),
    Case(
        "swallows garbage",
        lambda: Incoming(swallow(lambda data: data.startswith(b"\0"))),
        "garbage",
        "framesAndReplies",
        got="silence",
    ),
    Case(
        "busy with media",
        lambda: Silent("OPTIONS", playing=True),
        "slowReader",
        "statusLines",
        options=["--timeout", "1"],
    ),
    Case(
        "spaced timeout",
        lambda: Header("Session", lambda value, request, link: value.replace(";", "; ")),
        "timeoutIsPlain",
        "timeoutIsLong",
    ),
    Case(
        "timeout of 5 s",
        lambda: Header("Session", lambda value, request, link: re.sub("timeout=[0-9]+", "timeout=5", value)),
        "timeoutIsLong",
        "timeoutIsPlain",
    ),
    Case("no SDES", lambda: Reports(firstAlone), "compoundPackets oneName", "reportsAtOnce"),
    Case("two names", lambda: Reports(otherName), "oneName", "compoundPackets"),
    Case("late reports", LateReports, "reportsAtOnce", "compoundPackets"),
    Case("report of another", lambda: Reports(changed(ssrc=1)), "reportsAreOfTheTrack", "compoundPackets packetCounts"),
    Case("count", lambda: Reports(changed(packetCount=10)), "packetCounts", "reportsAreOfTheTrack"),
    Case("10 ms apart", lambda: Reports(changed(rtpTime=900)), "reportsAgree", "compoundPackets", got="ms apart"),
    Case("bent line", lambda: Reports(bent), "reportsStayOnALine", "reportsAgree"),
    Case("no BYE", lambda: Reports(withoutBye), "byeAtTheEnd byeOfTearDown", "compoundPackets"),
    Case("packets after BYE", AfterBye, "nothingAfterBye", "byeAtTheEnd"),
    Case("soon BYE", lambda: Reports(soonBye), "noByeOfPause", "compoundPackets"),
    Case("no s=", lambda: Description(lines("s=")), "orderOfLines", "controls"),
    Case("no a=control", lambda: Description(lines("a=control:trackID=1")), "controls", "orderOfLines"),
    Case("no control of all", lambda: Description(lines(r"a=control:\*")), "sessionControl", "controls"),
    Case(
        "ports",
        lambda: Description(lambda body: body.replace("m=video 0 ", "m=video 5004 ")),
        "portsAreOpen",
        "controls",
    ),
    Case(
        "address",
        lambda: Description(lambda body: body.replace("c=IN IP4 0.0.0.0", "c=IN IP4 192.0.2.1")),
        "nullAddress",
        "controls",
    ),
    Case("no t=", lambda: Description(lines("t=", "t=0\r\n")), "timesOfSession", "controls"),
    Case("no length", lambda: Description(lines("a=range:")), "rangeOfPresentation", "controls"),
    Case("no rtpmap", lambda: Description(lines("a=rtpmap:96")), "rtpmaps", "controls"),
    Case("no fmtp", lambda: Description(lines("a=fmtp:96")), "formatParameters", "rtpmaps"),
    Case("new versions", lambda: Description(Versions()), "originStays", "rtpmaps"),
    Case("long lines of SDP", lambda: Description(lambda body: body + f"a=x:{'y' * 5000}\r\n"), "sizes", "rtpmaps"),
    Case("sound first", lambda: Description(swapped), "orderOfMedia", "rtpmaps"),
]
