// HLS playlists (RFC 8216): as much of them as it takes to play one presentation that has an end.

// The attributes of a tag: name to value, without quotes.
function attributes(text) {
  const found = {};
  for (const [, name, quoted, plain] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    found[name] = quoted ?? plain;
  }
  return found;
}

function lines(text, url) {
  const all = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (all[0] !== "#EXTM3U") {
    throw new Error(`${url} is no playlist`);
  }
  return all;
}

// What a multivariant playlist offers: variants, best first, and the renditions of sound by group.
export function parseMultivariant(text, url) {
  const variants = [];
  const sounds = {};
  let next = null;
  for (const line of lines(text, url)) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) {
      next = attributes(line.slice(18));
    } else if (line.startsWith("#EXT-X-MEDIA:")) {
      const { TYPE, URI, ...about } = attributes(line.slice(13));
      if (TYPE === "AUDIO") {
        (sounds[about["GROUP-ID"]] ??= []).push({
          url: URI === undefined ? null : new URL(URI, url).href,
          label: about.NAME ?? "",
          language: about.LANGUAGE ?? "",
          isDefault: about.DEFAULT === "YES",
        });
      }
    } else if (!line.startsWith("#") && next !== null) {
      variants.push({
        url: new URL(line, url).href,
        bandwidth: Number(next.BANDWIDTH) || 0,
        codecs: (next.CODECS ?? "").split(",").map((codec) => codec.trim()).filter(Boolean),
        sounds: next.AUDIO ?? null,
      });
      next = null;
    }
  }
  variants.sort((one, other) => other.bandwidth - one.bandwidth);
  return { variants, sounds };
}

// The segments of a media playlist. Each has its init segment: another one may come at every discontinuity.
export function parseMedia(text, url) {
  const segments = [];
  let start = 0;
  let duration = 0;
  let init = null;
  let range = null;
  for (const line of lines(text, url)) {
    if (line.startsWith("#EXTINF:")) {
      duration = parseFloat(line.slice(8));
    } else if (line.startsWith("#EXT-X-MAP:")) {
      const found = attributes(line.slice(11));
      init = { url: new URL(found.URI, url).href, range: byteRange(found.BYTERANGE, 0) };
    } else if (line.startsWith("#EXT-X-BYTERANGE:")) {
      const former = segments.at(-1)?.range;
      range = byteRange(line.slice(17), former ? former.end + 1 : 0);
    } else if (!line.startsWith("#")) {
      segments.push({ url: new URL(line, url).href, range, start, duration, init });
      start += duration;
      range = null;
    }
  }
  return { segments, duration: start };
}

// "length[@offset]"; without an offset it follows what was before.
function byteRange(text, following) {
  if (text === undefined) {
    return null;
  }
  const [length, offset] = text.split("@").map(Number);
  const start = offset ?? following;
  return { start, end: start + length - 1 };
}
