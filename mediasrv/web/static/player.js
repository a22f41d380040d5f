// The player: a video, a way to get the media into it, and controls.

import { Controls } from "./controls.js";
import { element, icon, iconButton } from "./elements.js";
import { Lost, Refused } from "./fetching.js";
import { helpDialog, listen } from "./keys.js";
import { recall, remember } from "./memory.js";
import { Subtitles } from "./subtitles.js";
import { waysFor } from "./ways.js";

// milliseconds until the controls of a film that plays are hidden
const IDLE = 2600;
// milliseconds that the first picture may take before another one is shown
const POSTER = 700;
// seconds without anything new after which a browser's own player is taken to wait for ever: some do, once they were
// refused a connection
const PATIENCE = 20;

// What went wrong, in a few words.
function headline(error) {
  if (!navigator.onLine || error instanceof Lost || error?.code === MediaError.MEDIA_ERR_NETWORK) {
    return "The connection is gone.";
  }
  return error instanceof Refused ? "It is not there any more." : "This browser cannot play it.";
}

export class Player {
  constructor(whole) {
    this.whole = whole;
    this.data = JSON.parse(whole.dataset.presentation);
    const { kind, title } = this.data;
    this.video = element("video", { playsinline: true, preload: "auto", "aria-label": title, tabindex: "-1" });
    this.subtitles = new Subtitles(this.video, this.data.subtitles);
    this.sound = 0;
    this.ways = waysFor(this.data, this.video);
    this.controls = new Controls(this);
    this.big = iconButton("play", "Play", "", () => this.toggle());
    this.big.classList.add("big");
    this.message = element("div", { class: "message", role: "alert", hidden: true });
    this.note = element("p", { class: "note", role: "status", hidden: true },
      "Without sound: this browser cannot decode it. Other players can: see below.");
    this.spinner = element("div", { class: "spinner", hidden: true, role: "status", "aria-label": "Loading" });
    this.help = helpDialog();
    const drawing = kind === "audio" ? icon("sound") : null;
    this.stage = element("div", { class: "stage" }, drawing, this.video, this.spinner, this.big, this.note, this.message);
    whole.replaceChildren(this.stage, this.controls.whole, this.help);
    whole.classList.add("ready");
    this.watch();
    listen(this);
  }

  // Where it was left, or where the address says (#t=12): Media Fragments, section 4.2.1.
  get beginning() {
    const named = /[#&]t=(?:npt:)?([0-9.]+)/.exec(location.hash);
    const seconds = named ? Number(named[1]) : recall(this.data);
    return seconds < this.duration ? seconds : 0;
  }

  get duration() {
    const { duration } = this.video;
    return Number.isFinite(duration) && duration > 0 ? duration : this.data.duration;
  }

  get soundTracks() {
    return this.way?.soundTracks ?? [];
  }

  async start() {
    this.isWanted = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    // the first picture of the film itself is mostly there before another one would be
    setTimeout(() => this.hasBegun || this.showPoster(), POSTER);
    await this.tryWays(this.beginning);
  }

  showPoster() {
    if (this.data.kind === "video" && this.data.poster) {
      this.video.poster = this.data.poster;
    }
  }

  // Tries one way after the other, until one gives a picture.
  async tryWays(at) {
    this.tell(false);
    this.isBusy(true);
    let reason = null;
    while (this.ways.length) {
      const Way = this.ways.shift();
      const way = new Way(this.video, this.data, { error: (error) => this.failed(way, error) });
      this.way?.stop();
      this.way = way;
      this.whole.dataset.way = Way.name;
      try {
        await way.start(at);
        if (this.data.kind === "video" && this.video.videoWidth === 0) {
          throw new Error("The picture is of a kind that it cannot decode.");
        }
        this.began();
        return;
      } catch (error) {
        reason = error;
        console.info(`${Way.name}: ${error?.message ?? error}`);
        way.stop();
        this.video.removeAttribute("src");
      }
    }
    this.giveUp(reason);
  }

  began() {
    this.hasBegun = true;
    this.isBusy(false);
    this.controls.fillMenus();
    this.note.hidden = !this.way.isSilent;
    if (this.isWanted) {
      // who has not touched the page yet may not be allowed to make it sound
      this.video.play().catch(() => this.wake());
    }
  }

  // Something went wrong after the beginning: another way may do better, from here on.
  failed(way, error) {
    if (way !== this.way || !this.hasBegun) {
      return;
    }
    this.hasBegun = false;
    if (error instanceof Refused && !this.isRenewed) {
      // the file was replaced: what is there now has other addresses
      this.isRenewed = true;
      this.ways = waysFor(this.data, this.video);
    }
    if (this.ways.length) {
      this.tryWays(this.video.currentTime);
    } else {
      this.giveUp(error);
    }
  }

  giveUp(error) {
    const at = this.video.currentTime;
    this.isBusy(false);
    this.whole.dataset.way = "none";
    const again = element("button", { type: "button", class: "button" , onclick: () => {
      this.ways = waysFor(this.data, this.video);
      this.tryWays(at);
    } }, "Try again");
    const file = element("a", { class: "button", href: this.data.file, download: true }, "Download");
    this.message.replaceChildren(
      element("p", {}, headline(error)),
      element("p", { class: "detail" }, error?.message ?? ""),
      element("p", {}, again, " ", file));
    this.tell(true);
  }

  // Shows the message, or takes it away.
  tell(isThere) {
    this.message.hidden = !isThere;
    this.whole.classList.toggle("failed", isThere);
  }

  watch() {
    const { video, whole } = this;
    video.addEventListener("waiting", () => this.isBusy(true));
    for (const name of ["playing", "seeked", "canplay", "pause", "ended"]) {
      video.addEventListener(name, () => this.isBusy(false));
    }
    for (const name of ["play", "pause", "ended", "playing"]) {
      video.addEventListener(name, () => this.wake());
    }
    let waited = 0;
    video.addEventListener("progress", () => (waited = 0));
    setInterval(() => {
      // who plays by our script hears of it anyway
      const isWaiting = this.hasBegun && this.way.isPatient && video.readyState < 3 && (video.seeking || !video.paused);
      waited = isWaiting && !video.ended ? waited + 1 : 0;
      if (waited > PATIENCE) {
        waited = 0;
        this.failed(this.way, new Lost("Nothing has come for a while."));
      }
    }, 1000);
    video.addEventListener("ratechange", () => this.controls.fillMenus());
    video.addEventListener("timeupdate", () => remember(this.data, video.currentTime));
    for (const name of ["pointermove", "pointerdown", "focusin"]) {
      whole.addEventListener(name, () => this.wake());
    }
    whole.addEventListener("pointerleave", () => this.wake(500));
    this.stage.addEventListener("click", (event) => this.clicked(event));
    this.stage.addEventListener("dblclick", (event) => event.target === video && this.toggleFullScreen());
  }

  // A mouse plays and pauses; a finger shows the controls, and hides them.
  clicked(event) {
    if (event.target !== this.video) {
      return;
    }
    if (event.pointerType === "touch") {
      this.touched(event);
    } else {
      this.toggle();
    }
  }

  touched(event) {
    const isSecond = event.timeStamp - (this.lastTouch ?? -1000) < 300;
    this.lastTouch = event.timeStamp;
    if (isSecond) {
      const { left, width } = this.stage.getBoundingClientRect();
      this.seekBy(event.clientX - left < width / 2 ? -10 : 10);
    } else if (this.whole.classList.contains("idle")) {
      this.wake();
    } else if (!this.video.paused) {
      this.hideControls(true);
    }
  }

  // Shows the controls; they are hidden again when nobody moves.
  wake(milliseconds = IDLE) {
    const { whole, video } = this;
    this.hideControls(false);
    whole.classList.toggle("playing", !video.paused);
    clearTimeout(this.idle);
    if (!video.paused && this.data.kind === "video") {
      this.idle = setTimeout(() => {
        const isInUse = whole.querySelector(".menu:not([hidden])") || whole.querySelector(":focus-visible");
        this.hideControls(!isInUse);
      }, milliseconds);
    }
  }

  hideControls(isHidden) {
    this.whole.classList.toggle("idle", isHidden);
    this.subtitles.cover(isHidden || this.data.kind !== "video" ? 0 : this.controls.row.offsetHeight + 28);
  }

  isBusy(busy) {
    clearTimeout(this.busy);
    this.busy = setTimeout(() => (this.spinner.hidden = !busy), busy ? 300 : 0);
  }

  toggle() {
    const { video } = this;
    if (video.paused || video.ended) {
      this.isWanted = true;
      video.play().catch(() => {});
    } else {
      this.isWanted = false;
      video.pause();
    }
  }

  seek(seconds) {
    this.video.currentTime = Math.min(Math.max(0, seconds), Math.max(0, this.duration - 0.05));
  }

  seekBy(seconds) {
    this.seek(this.video.currentTime + seconds);
  }

  setSpeed(rate) {
    this.video.defaultPlaybackRate = rate;
    this.video.playbackRate = rate;
  }

  setVolume(volume) {
    this.video.muted = false;
    this.video.volume = Math.min(1, Math.max(0, volume));
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
  }

  async setSound(number) {
    this.sound = number;
    this.controls.fillMenus();
    try {
      await this.way.setSound(number);
    } catch (error) {
      this.failed(this.way, error);
    }
  }

  setSubtitles(number) {
    this.subtitles.choose(number);
    this.controls.fillMenus();
  }

  toggleSubtitles() {
    if (this.data.subtitles.length) {
      this.subtitles.toggle();
      this.controls.fillMenus();
    }
  }

  async togglePictureInPicture() {
    if (document.pictureInPictureElement) {
      await document.exitPictureInPicture();
    } else if (this.data.kind === "video") {
      await this.video.requestPictureInPicture?.();
    }
  }

  async toggleFullScreen() {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
    } else if (this.whole.requestFullscreen) {
      await this.whole.requestFullscreen();
    } else {
      // phones of Apple show nothing but a video on the whole screen
      this.video.webkitEnterFullscreen?.();
    }
  }

  showHelp() {
    this.help.showModal();
  }
}
