// Plays HLS with Media Source Extensions: one buffer for the picture, one for the sound.

import { Feed } from "./feed.js";
import { fetchText } from "./fetching.js";
import { parseMultivariant } from "./playlist.js";

export const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

// The names of sample entries in an init segment (ISO/IEC 14496-12), and what CODECS calls them.
const SOUNDS = { mp4a: /^mp4a|^mp3$/, Opus: /^opus/i, fLaC: /^flac/i, "ac-3": /^ac-3/, "ec-3": /^ec-3/, ".mp3": /^mp3$|^mp4a\.(6b|69|40\.34)$/ };

function isSound(codec) {
  return Object.values(SOUNDS).some((pattern) => pattern.test(codec));
}

function contains(bytes, name) {
  return new TextDecoder("latin1").decode(bytes).includes(name);
}

export class MSEWay {
  static name = "mse";

  static can(data) {
    return Boolean(Source && data.hls);
  }

  // report.error(error) is told what goes wrong later on.
  constructor(video, data, report) {
    this.video = video;
    this.data = data;
    this.report = report;
    this.isSilent = false;
    this.feeds = [];
    this.sounds = [];
    this.sound = 0;
    this.events = new AbortController();
  }

  async start(at) {
    const url = new URL(this.data.hls, location.href).href;
    const master = fetchText(url);
    this.source = new Source();
    this.address = URL.createObjectURL(this.source);
    const opened = new Promise((resolve) => this.source.addEventListener("sourceopen", resolve, { once: true }));
    this.video.disableRemotePlayback = true;
    this.video.src = this.address;
    const { variants, sounds } = parseMultivariant(await master, url);
    const variant = this.choose(variants);
    const group = (this.isSilent ? null : sounds[variant.sounds]) ?? [];
    this.sounds = group;
    this.sound = Math.max(0, group.findIndex((each) => each.isDefault));
    this.addFeeds(variant, group[this.sound]?.url ?? null);
    const types = await Promise.all(this.feeds.map((feed) => feed.prefetch(at)));
    await opened;
    URL.revokeObjectURL(this.address);
    const playlists = await Promise.all(this.feeds.map((feed) => feed.playlist));
    this.source.duration = Math.max(...playlists.map((playlist) => playlist.duration));
    const buffers = types.map((type) => this.source.addSourceBuffer(type));
    if (at > 0) {
      this.video.currentTime = at;
    }
    this.feeds.forEach((feed, number) => feed.start(buffers[number]));
    const { signal } = this.events;
    this.video.addEventListener("seeking", () => this.feeds.forEach((feed) => feed.seek()), { signal });
    this.video.addEventListener("timeupdate", () => this.feeds.forEach((feed) => feed.wake()), { signal });
    for (const name of ["waiting", "seeking", "progress"]) {
      this.video.addEventListener(name, () => this.skipGap(), { signal });
    }
    await this.begun();
  }

  choose(variants) {
    const decodes = (codec) => Source.isTypeSupported(`${isSound(codec) ? "audio" : "video"}/mp4; codecs="${codec}"`);
    const variant = variants.find(({ codecs }) => codecs.every(decodes));
    // sound is in segments of its own, where there are pictures
    const pictures = variants.find(({ codecs }) => codecs.some((codec) => !isSound(codec) && decodes(codec)));
    if (variant === undefined && pictures === undefined) {
      throw new Error("This browser cannot decode it.");
    }
    this.isSilent = variant === undefined;
    return variant ?? { ...pictures, codecs: pictures.codecs.filter((codec) => !isSound(codec)) };
  }

  addFeeds(variant, sound) {
    const pictures = variant.codecs.filter((codec) => !isSound(codec));
    const sounds = variant.codecs.filter(isSound);
    // Clips one after the other have several names of the same codec; a buffer of several would wait for as many tracks.
    const both = [...pictures.slice(0, 1), ...(sound ? [] : sounds.slice(0, 1))];
    if (pictures.length || !sound) {
      const kind = pictures.length ? "video" : "audio";
      this.feeds.push(this.feed(variant.url, () => `${kind}/mp4; codecs="${both.join(",")}"`));
    }
    if (sound) {
      this.soundFeed = this.feed(sound, (init) => `audio/mp4; codecs="${soundOf(init, sounds)}"`);
      this.feeds.push(this.soundFeed);
    }
  }

  feed(url, mime) {
    return new Feed(this.video, this.source, url, mime, {
      onEnd: () => this.endIfAll(),
      onError: (error) => this.fail(error),
    });
  }

  fail(error) {
    this.failed?.(error);
    this.report.error(error);
  }

  // Until the first picture is there.
  begun() {
    return new Promise((resolve, reject) => {
      this.failed = reject;
      if (this.video.readyState >= 2) {
        resolve();
      }
      const { signal } = this.events;
      this.video.addEventListener("loadeddata", resolve, { once: true, signal });
      this.video.addEventListener("error", () => reject(this.video.error), { once: true, signal });
    }).finally(() => {
      this.failed = null;
    });
  }

  endIfAll() {
    const isIdle = this.feeds.every((feed) => feed.isAtEnd && !feed.buffer.updating);
    if (isIdle && this.source.readyState === "open") {
      this.source.endOfStream();
    }
  }

  // Where sound or picture begin a little later than the presentation, browsers wait for ever.
  skipGap() {
    const { video } = this;
    const { buffered } = video;
    for (let number = 0; number < buffered.length; number++) {
      const start = buffered.start(number);
      if (start <= video.currentTime && video.currentTime < buffered.end(number)) {
        return;
      }
      if (start > video.currentTime && start - video.currentTime < 0.75 && buffered.end(number) - start > 0.25) {
        video.currentTime = start + 0.01;
        return;
      }
    }
  }

  get soundTracks() {
    return this.sounds;
  }

  async setSound(number) {
    this.sound = number;
    if (this.soundFeed && this.sounds[number]?.url) {
      await this.soundFeed.change(this.sounds[number].url);
    }
  }

  stop() {
    this.events.abort();
    this.feeds.forEach((feed) => feed.stop());
    URL.revokeObjectURL(this.address);
  }
}

// Which of a variant's codecs an init segment is of.
function soundOf(init, codecs) {
  const entry = Object.keys(SOUNDS).find((name) => contains(init, name));
  return codecs.find((codec) => SOUNDS[entry]?.test(codec)) ?? codecs[0] ?? "mp4a.40.2";
}
