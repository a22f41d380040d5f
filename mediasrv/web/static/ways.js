// The ways to play a presentation, best first: the browser's own HLS, ours, and the file as it is.

import { MSEWay, Source } from "./mse.js";

// Sound that not every browser takes in fragmented MP4, though it may take it in other files, by FFmpeg's names.
const DOUBTED = { mp3: 'audio/mp4; codecs="mp4a.6B"' };

// Whether the sound of HLS is heard; who cannot be asked may try.
function hears({ sounds }) {
  const type = DOUBTED[sounds[0]?.codec];
  return !type || !Source || Source.isTypeSupported(type);
}

// Until the first picture is there.
function loaded(video, signal) {
  return new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", resolve, { once: true, signal });
    video.addEventListener("error", () => reject(video.error ?? new Error("It cannot be played.")), { once: true, signal });
  });
}

class PlainWay {
  // It may wait without an end.
  isPatient = true;

  constructor(video, data, report) {
    this.video = video;
    this.data = data;
    this.report = report;
    this.sound = 0;
    this.events = new AbortController();
  }

  async start(at) {
    await this.open(this.address(), at);
    const { signal } = this.events;
    this.video.addEventListener("error", () => this.report.error(this.video.error), { signal });
  }

  async open(address, at) {
    const { video } = this;
    const { signal } = this.events;
    if (at > 0) {
      video.addEventListener("loadedmetadata", () => (video.currentTime = at), { once: true, signal });
    }
    const loading = loaded(video, signal);
    video.src = address;
    await loading;
  }

  // What the browser lets one choose from: no more than one in most.
  get soundTracks() {
    const tracks = [...(this.video.audioTracks ?? [])];
    return tracks.length > 1 ? tracks.map(({ label, language }) => ({ label, language })) : [];
  }

  async setSound(number) {
    this.sound = number;
    [...this.video.audioTracks].forEach((track, each) => (track.enabled = each === number));
  }

  stop() {
    this.events.abort();
  }
}

class NativeWay extends PlainWay {
  static name = "native";

  static can(data, video) {
    return Boolean(data.hls && hears(data) && video.canPlayType("application/vnd.apple.mpegurl"));
  }

  address() {
    return this.data.hls;
  }

  get soundTracks() {
    const own = super.soundTracks;
    return own.length ? own : this.data.sounds;
  }

  async setSound(number) {
    if (super.soundTracks.length) {
      return super.setSound(number);
    }
    // the browser does not let one choose: a playlist with this sound alone does
    this.sound = number;
    const { video } = this;
    const { paused, playbackRate } = video;
    await this.open(`${this.data.hls}?audio=${this.data.sounds[number].number}`, video.currentTime);
    video.playbackRate = playbackRate;
    if (!paused) {
      await video.play();
    }
  }
}

class FileWay extends PlainWay {
  static name = "file";

  // Browsers play more than they admit: one that is not sure may try.
  static can() {
    return true;
  }

  address() {
    return this.data.file;
  }
}

// The ways that this browser has for a presentation, in order; one may be asked for by ?player=.
export function waysFor(data, video) {
  const wanted = new URLSearchParams(location.search).get("player");
  const ways = [NativeWay, MSEWay, FileWay].filter((way) => way.can(data, video));
  const chosen = ways.filter((way) => way.name === wanted);
  if (chosen.length) {
    return chosen;
  }
  // what HLS has to leave out, or would only repackage, the browser may have whole in the file
  const isSimple = data.kind === "audio" && data.sounds.length < 2;
  const filePays = isSimple || !data.whole || !hears(data);
  return filePays && (data.plain || video.canPlayType(data.type)) ? [FileWay, ...ways.slice(0, -1)] : ways;
}
