// One rendition's way into one SourceBuffer: segments ahead of what is shown are fetched, those long behind are removed.

import { fetchBytes, fetchText } from "./fetching.js";
import { parseMedia } from "./playlist.js";

// seconds
const AHEAD = 30;
const BEHIND = 30;
// what two ends may be apart that touch each other: encoders' rounding, and a frame
const TOUCHING = 0.12;

// What a SourceBuffer is told when it waits: that it is done.
function done(buffer) {
  return new Promise((resolve) => {
    if (buffer.updating) {
      buffer.addEventListener("updateend", resolve, { once: true });
    } else {
      resolve();
    }
  });
}

export class Feed {
  // mime(init) gives the type for an init segment; onEnd is called when the last segment is in.
  constructor(video, source, url, mime, { onEnd, onError }) {
    this.video = video;
    this.source = source;
    this.mime = mime;
    this.onEnd = onEnd;
    this.onError = onError;
    this.buffer = null;
    this.isAtEnd = false;
    this.init = null;
    this.inits = new Map();
    this.work = new AbortController();
    this.wake = () => {};
    this.playlist = this.load(url);
  }

  async load(url) {
    const playlist = parseMedia(await fetchText(url), url);
    if (playlist.segments.length === 0) {
      throw new Error("There is nothing in the playlist.");
    }
    return playlist;
  }

  // Fetches the first segment while the source is being opened.
  async prefetch(at) {
    const { segments } = await this.playlist;
    const segment = segments[indexAt(segments, at)];
    this.early = { segment, bytes: fetchBytes(segment.url, segment.range, this.work.signal) };
    this.early.bytes.catch(() => {});
    const init = await this.initBytes(segment.init);
    return this.mime(init);
  }

  initBytes(init) {
    const key = `${init.url} ${init.range?.start}`;
    if (!this.inits.has(key)) {
      const bytes = fetchBytes(init.url, init.range);
      bytes.catch(() => this.inits.delete(key));
      this.inits.set(key, bytes);
    }
    return this.inits.get(key);
  }

  // Begins, once there is a buffer; goes on until it is stopped.
  start(buffer) {
    this.buffer = buffer;
    this.run();
  }

  stop() {
    this.work.abort();
    this.wake();
  }

  // Another place is asked for: what is under way is not wanted any more, unless it is there already.
  seek() {
    this.isAtEnd = false;
    if (this.bufferedTo(this.video.currentTime) === null) {
      this.restart();
    }
    this.wake();
  }

  restart() {
    this.work.abort();
    this.work = new AbortController();
    this.early = null;
    this.run();
  }

  // The same sound in another language: what is there of the old one goes, and the new one begins where we are.
  async change(url) {
    this.work.abort();
    const work = (this.work = new AbortController());
    this.wake();
    const playlist = this.load(url);
    await playlist;
    this.playlist = playlist;
    this.init = null;
    this.inits.clear();
    this.isAtEnd = false;
    this.early = null;
    await done(this.buffer);
    if (!work.signal.aborted) {
      await this.remove(0, Infinity);
      this.run();
    }
  }

  async run() {
    const { signal } = this.work;
    try {
      await this.fill(signal);
    } catch (error) {
      if (!signal.aborted) {
        this.onError(error);
      }
    }
  }

  async fill(signal) {
    const { segments } = await this.playlist;
    await done(this.buffer);
    let index = this.nextIndex(segments);
    let place = this.video.currentTime;
    while (!signal.aborted) {
      if (Math.abs(this.video.currentTime - place) > 1) {
        // it was sought within what is there
        index = this.nextIndex(segments);
      }
      place = this.video.currentTime;
      if (index >= segments.length) {
        this.end();
        await this.moved(signal);
      } else if (segments[index].start > place + AHEAD) {
        await this.moved(signal);
      } else {
        await this.append(segments[index], signal);
        index += 1;
        await this.forget(place - BEHIND);
      }
    }
  }

  end() {
    if (!this.isAtEnd) {
      this.isAtEnd = true;
      this.onEnd();
    }
  }

  // Until time has gone on, or somebody wakes us.
  moved(signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(wake, 1000);
      this.wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  async append(segment, signal) {
    const early = this.early?.segment === segment ? this.early.bytes : null;
    this.early = null;
    const [init, bytes] = await Promise.all([
      this.initBytes(segment.init),
      early ?? fetchBytes(segment.url, segment.range, signal),
    ]);
    if (init !== this.init) {
      const type = this.mime(init);
      if (this.init !== null && this.buffer.changeType) {
        this.buffer.changeType(type);
      }
      await this.put(init, signal);
      this.init = init;
    }
    await this.put(bytes, signal);
  }

  async put(bytes, signal) {
    for (let attempt = 0; !signal.aborted; attempt++) {
      await done(this.buffer);
      if (signal.aborted) {
        return;
      }
      try {
        this.buffer.appendBuffer(bytes);
        await done(this.buffer);
        return;
      } catch (error) {
        if (error.name !== "QuotaExceededError" || attempt > 20) {
          throw error;
        }
        // full: make room behind, or wait until there is something behind
        await this.forget(this.video.currentTime - 2);
        await this.remove(this.video.currentTime + AHEAD + 10, Infinity);
        await this.moved(signal);
      }
    }
  }

  async forget(before) {
    const { buffered } = this.buffer;
    if (buffered.length && buffered.start(0) < before - 10) {
      await this.remove(0, before);
    }
  }

  async remove(start, end) {
    await done(this.buffer);
    if (this.source.readyState !== "closed" && start < this.source.duration) {
      this.buffer.remove(start, end);
      await done(this.buffer);
    }
  }

  // The end of what is there around a time; null if nothing is.
  bufferedTo(time) {
    const buffered = this.buffer?.buffered;
    for (let number = 0; number < (buffered?.length ?? 0); number++) {
      if (buffered.start(number) <= time + TOUCHING && time < buffered.end(number)) {
        return buffered.end(number);
      }
    }
    return null;
  }

  nextIndex(segments) {
    const time = this.video.currentTime;
    const end = this.bufferedTo(time);
    return end === null ? indexAt(segments, time) : indexAfter(segments, end);
  }
}

function indexAt(segments, time) {
  const index = segments.findIndex((segment) => time < segment.start + segment.duration);
  return index < 0 ? segments.length - 1 : index;
}

function indexAfter(segments, end) {
  const index = segments.findIndex((segment) => end < segment.start + segment.duration - TOUCHING);
  return index < 0 ? segments.length : index;
}
