"""A judge of playlists, by RFC 8216 and requirements HLS-1 to HLS-5. It uses nothing of the server's."""

from __future__ import annotations

import re

#: tags by where they may be (RFC 8216 section 4.3)
_BASIC = {"EXTM3U", "EXT-X-VERSION"}
_SEGMENT = {"EXTINF", "EXT-X-DISCONTINUITY", "EXT-X-MAP"}
_MEDIA = {
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-I-FRAMES-ONLY",
    "EXT-X-ENDLIST",
}
_MULTIVARIANT = {"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF"}
_BOTH = {"EXT-X-INDEPENDENT-SEGMENTS"}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_CODEC = re.compile(
    r"avc1\.[0-9A-F]{6}|hvc1\.[A-C]?\d+\.[0-9A-F]+\.[LH]\d+(\.[0-9A-F]{1,2})*|av01\.\d\.\d\d[MH]\.(08|10|12)"
    r"|vp09\.\d\d\.\d\d\.(08|10|12)|mp4a\.40\.\d+|mp4a\.6[9B]|opus|fLaC"
)


def attributes(line: str) -> dict[str, str]:
    """The attributes of a tag; those that cannot be read are missing."""
    return dict(_ATTRIBUTE.findall(line.partition(":")[2]))


def lint(data: bytes) -> list[str]:
    """What is wrong with a playlist."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ["no UTF-8"]
    found = []
    if not text.startswith("#EXTM3U\n"):
        found.append("does not begin with #EXTM3U")
    if re.search("[\x00-\x09\x0b-\x1f\x7f\ufeff]", text):
        found.append("control characters or a byte order mark")
    if not text.endswith("\n"):
        found.append("the last line has no end")
    lines = text.splitlines()
    tags = [line[1:].partition(":")[0] for line in lines if line.startswith("#EXT")]
    found += [f"unknown tag {tag}" for tag in tags if tag not in _BASIC | _SEGMENT | _MEDIA | _MULTIVARIANT | _BOTH]
    for tag in _BASIC | _MEDIA | _BOTH:
        if tags.count(tag) > 1:
            found.append(f"{tag} more than once")
    isMultivariant, isMedia = set(tags) & _MULTIVARIANT, set(tags) & (_MEDIA | _SEGMENT)
    if bool(isMultivariant) == bool(isMedia):
        return [*found, "neither or both of a multivariant and a media playlist"]
    return found + (_multivariant(lines) if isMultivariant else _media(lines, tags))


def _valueOf(lines: list[str], tag: str) -> str | None:
    return next((line.partition(":")[2] for line in lines if line.startswith(f"#{tag}:")), None)


def _media(lines: list[str], tags: list[str]) -> list[str]:
    found = []
    target, version = _valueOf(lines, "EXT-X-TARGETDURATION"), _valueOf(lines, "EXT-X-VERSION")
    if target is None or not target.isdecimal():
        return ["no EXT-X-TARGETDURATION"]
    if _valueOf(lines, "EXT-X-PLAYLIST-TYPE") != "VOD" or lines[-1] != "#EXT-X-ENDLIST":
        found.append("on demand a playlist has PLAYLIST-TYPE:VOD and an ENDLIST at its end")
    needed = 6 if "EXT-X-MAP" in tags else 3
    if "EXT-X-I-FRAMES-ONLY" in tags:
        needed = max(needed, 4)
    if version is None or int(version) < needed:
        found.append(f"version {version} instead of {needed}")
    duration = mapped = None
    isNew, uris = True, set()
    for line in lines:
        if line.startswith("#EXTINF:"):
            value = re.fullmatch(r"#EXTINF:(\d+\.\d{3,6}),.*", line)
            if duration is not None or value is None:
                found.append(f"a wrong EXTINF: {line}")
            duration = float(value[1]) if value else 0.0
            if int(duration + 0.5) > int(target):
                found.append(f"{duration} is more than the target duration")
        elif line.startswith("#EXT-X-MAP:"):
            mapped = attributes(line).get("URI")
            if not isNew:
                found.append("another EXT-X-MAP without a discontinuity")
        elif line == "#EXT-X-DISCONTINUITY":
            isNew = True
        elif line and not line.startswith("#"):
            if duration is None:
                found.append(f"{line} has no EXTINF")
            if mapped is None and not line.endswith(".vtt"):
                found.append(f"{line} has no EXT-X-MAP")
            if line in uris:
                found.append(f"{line} twice")
            uris.add(line)
            duration, isNew = None, False
    if duration is not None:
        found.append("an EXTINF without a segment")
    return found


def _multivariant(lines: list[str]) -> list[str]:
    found = []
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in lines:
        if line.startswith("#EXT-X-MEDIA:"):
            media = attributes(line)
            found += _rendition(media, line)
            groups.setdefault((media.get("TYPE", ""), media.get("GROUP-ID", "")), []).append(media)
    for (kind, group), members in groups.items():
        names = [each.get("NAME") for each in members]
        if len(set(names)) < len(names):
            found.append(f"names in {group} that are not unique: {names}")
        if sum(each.get("DEFAULT") == "YES" for each in members) > 1:
            found.append(f"several defaults in {group}")
        if kind == "AUDIO" and not any(each.get("DEFAULT") == "YES" for each in members):
            found.append(f"no default in {group}")
    used = set()
    for number, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            variant = attributes(line)
            if number + 1 == len(lines) or lines[number + 1].startswith("#"):
                found.append("a variant without URI")
            found += _variant(variant)
            for kind in ("AUDIO", "SUBTITLES"):
                if kind in variant:
                    used.add((kind, variant[kind]))
                    if (kind, variant[kind]) not in groups:
                        found.append(f"no group {variant[kind]}")
            if "FRAME-RATE" in variant and not re.fullmatch(r"\d+\.\d{3}", variant["FRAME-RATE"]):
                found.append("FRAME-RATE has three decimals")
        elif line.startswith("#EXT-X-I-FRAME-STREAM-INF:"):
            variant = attributes(line)
            found += _variant(variant)
            if "URI" not in variant or {"AUDIO", "SUBTITLES", "FRAME-RATE"} & set(variant):
                found.append("key frames need a URI, and have no sound and no rate")
    found += [f"nobody uses {group}" for group in groups if group not in used]
    return found


def _rendition(media: dict[str, str], line: str) -> list[str]:
    found = [f"no {name} in {line}" for name in ("TYPE", "GROUP-ID", "NAME", "URI") if name not in media]
    if media.get("DEFAULT") == "YES" and media.get("AUTOSELECT") != "YES":
        found.append("what is the default is selected automatically")
    if "FORCED" in media and media.get("TYPE") != "SUBTITLES":
        found.append("only subtitles can be forced")
    if not re.fullmatch(r'"[a-z]{2,3}(-[A-Za-z0-9]+)*"', media.get("LANGUAGE", '"en"')):
        found.append(f"LANGUAGE is no BCP 47 tag: {media['LANGUAGE']}")
    if media.get("TYPE") == "AUDIO" and not re.fullmatch(r'"\d+"', media.get("CHANNELS", "")):
        found.append("sound without CHANNELS")
    return found


def _variant(variant: dict[str, str]) -> list[str]:
    found = []
    bandwidth, average = variant.get("BANDWIDTH", ""), variant.get("AVERAGE-BANDWIDTH", "1")
    if not bandwidth.isdecimal() or not average.isdecimal() or not 0 < int(average) <= int(bandwidth):
        found.append(f"BANDWIDTH {bandwidth}, AVERAGE-BANDWIDTH {average}")
    codecs = variant.get("CODECS", "").strip('"').split(",")
    found += [f"CODECS {each!r}" for each in codecs if not _CODEC.fullmatch(each)]
    isPicture = any(re.match("avc1|hvc1|av01|vp09", each) for each in codecs)
    if isPicture != bool(re.fullmatch(r"[1-9]\d*x[1-9]\d*", variant.get("RESOLUTION", ""))):
        found.append("pictures, and nothing else, have a RESOLUTION")
    if variant.get("VIDEO-RANGE", "SDR") not in ("SDR", "PQ", "HLG"):
        found.append("VIDEO-RANGE")
    return found
