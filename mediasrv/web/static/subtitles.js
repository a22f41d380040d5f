// The subtitles of a video: one track of them or none, above the controls while these are there.

import { element } from "./elements.js";

// Of a video's height, what browsers give a line of subtitles.
const LINE = 0.06;

export class Subtitles {
  // tracks: src, label, language.
  constructor(video, tracks) {
    this.video = video;
    this.tracks = tracks;
    this.chosen = -1;
    this.covered = 0;
    for (const { src, label, language } of tracks) {
      const track = element("track", { kind: "subtitles", src, label, srclang: language || "und" });
      video.append(track);
      track.track.addEventListener("cuechange", () => this.place());
    }
  }

  // By its number; -1 for none.
  choose(number) {
    this.chosen = number;
    if (number >= 0) {
      this.last = number;
    }
    [...this.video.querySelectorAll("track")].forEach(({ track }, each) => {
      track.mode = each === number ? "showing" : "disabled";
    });
    this.place();
  }

  // On or off: those that were chosen last, or what this reader's browser speaks.
  toggle() {
    const own = this.tracks.findIndex(({ language }) => navigator.language.startsWith((language || "-").slice(0, 2)));
    this.choose(this.chosen < 0 ? (this.last ?? Math.max(0, own)) : -1);
  }

  // Says how many pixels from below are covered.
  cover(pixels) {
    if (this.covered !== pixels) {
      this.covered = pixels;
      this.place();
    }
  }

  place() {
    const covered = Math.ceil(this.covered / (this.video.clientHeight * LINE));
    const { track } = this.video.querySelectorAll("track")[this.chosen] ?? {};
    let isMoved = false;
    for (const cue of track?.activeCues ?? []) {
      const line = covered ? -covered - cue.text.split("\n").length : "auto";
      // one that has a place of its own keeps it
      if (cue.line !== line && (cue.line === "auto" || cue.isPlaced)) {
        cue.isPlaced = true;
        cue.line = line;
        isMoved = true;
      }
    }
    if (isMoved) {
      // Chromium leaves what is on the screen where it is
      track.mode = "hidden";
      track.mode = "showing";
    }
  }
}
