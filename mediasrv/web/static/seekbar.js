// The bar that shows where one is, what has been loaded, and with a picture where one would go.

import { clock, spoken } from "./clock.js";
import { element } from "./elements.js";

export class SeekBar {
  // player: video, data, duration, seek(seconds).
  constructor(player) {
    this.player = player;
    this.loaded = element("div", { class: "loaded" });
    this.played = element("div", { class: "played" });
    this.picture = element("img", { alt: "", decoding: "async", hidden: true });
    this.time = element("span");
    this.bubble = element("div", { class: "bubble", hidden: true, "aria-hidden": "true" }, this.picture, this.time);
    this.bar = element("div", {
      class: "seek",
      role: "slider",
      tabindex: "0",
      "aria-label": "Position",
      "aria-valuemin": "0",
    }, element("div", { class: "rail" }, this.loaded, this.played), element("div", { class: "thumb" }), this.bubble);
    this.isDragged = false;
    this.wanted = null;
    this.isLoading = false;
    this.bar.addEventListener("pointerdown", (event) => this.grab(event));
    this.bar.addEventListener("pointermove", (event) => this.point(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.bar.addEventListener(name, (event) => this.release(event));
    }
    this.bar.addEventListener("pointerleave", () => this.isDragged || this.hide());
    this.picture.addEventListener("load", () => this.pictured(true));
    this.picture.addEventListener("error", () => this.pictured(false));
  }

  at(event) {
    const { left, width } = this.bar.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    return { share, seconds: share * this.player.duration };
  }

  grab(event) {
    if (event.button !== 0) {
      return;
    }
    this.isDragged = true;
    this.bar.setPointerCapture(event.pointerId);
    this.point(event);
  }

  point(event) {
    const { share, seconds } = this.at(event);
    this.preview(share, seconds);
    if (this.isDragged) {
      this.show(seconds);
    }
  }

  release(event) {
    if (!this.isDragged) {
      return;
    }
    this.isDragged = false;
    if (event.type === "pointerup") {
      this.player.seek(this.at(event).seconds);
    }
    if (event.pointerType !== "mouse") {
      this.hide();
    }
    this.update();
  }

  // The bubble with the time, and a picture of about then.
  preview(share, seconds) {
    this.bubble.hidden = false;
    this.time.textContent = clock(seconds);
    const half = this.bubble.offsetWidth / 2;
    const width = this.bar.clientWidth;
    const centre = Math.min(width - half, Math.max(half, share * width));
    this.bubble.style.left = `${centre}px`;
    this.ask(seconds);
  }

  // One picture at a time, the last that was asked for; few different ones, so that they are made once.
  ask(seconds) {
    const { data, duration } = this.player;
    if (!data.stills) {
      return;
    }
    const step = Math.max(1, Math.ceil(duration / 240));
    this.wanted = `${data.stills}${Math.floor(seconds / step) * step}.jpg`;
    if (!this.isLoading && this.picture.getAttribute("src") !== this.wanted) {
      this.isLoading = true;
      this.picture.src = this.wanted;
    }
  }

  pictured(isThere) {
    this.isLoading = false;
    this.picture.hidden = !isThere;
    if (this.wanted && this.picture.getAttribute("src") !== this.wanted) {
      this.isLoading = true;
      this.picture.src = this.wanted;
    }
  }

  hide() {
    this.bubble.hidden = true;
  }

  // What the video says.
  update() {
    const { video, duration } = this.player;
    if (!this.isDragged) {
      this.show(video.currentTime);
    }
    const { buffered, currentTime } = video;
    let end = 0;
    for (let number = 0; number < buffered.length; number++) {
      if (buffered.start(number) <= currentTime + 0.5) {
        end = Math.max(end, buffered.end(number));
      }
    }
    this.loaded.style.width = `${duration ? Math.min(100, (end / duration) * 100) : 0}%`;
  }

  show(seconds) {
    const { duration } = this.player;
    const share = duration ? Math.min(1, seconds / duration) : 0;
    this.bar.style.setProperty("--at", `${share * 100}%`);
    this.bar.setAttribute("aria-valuemax", String(Math.round(duration)));
    this.bar.setAttribute("aria-valuenow", String(Math.round(seconds)));
    this.bar.setAttribute("aria-valuetext", `${spoken(seconds)} of ${spoken(duration)}`);
  }
}
