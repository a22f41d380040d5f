// The row of controls below the picture.

import { clock } from "./clock.js";
import { element, iconButton, relabel } from "./elements.js";
import { Menu } from "./menus.js";
import { SeekBar } from "./seekbar.js";

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];

export class Controls {
  constructor(player) {
    this.player = player;
    const { video, data } = player;
    this.seekBar = new SeekBar(player);
    this.play = iconButton("play", "Play", "k", () => player.toggle());
    this.mute = iconButton("loud", "Mute", "m", () => player.toggleMute());
    this.volume = element("input", { type: "range", min: "0", max: "1", step: "0.05", class: "volume", "aria-label": "Volume" });
    this.volume.addEventListener("input", () => player.setVolume(Number(this.volume.value)));
    this.now = element("span", { class: "now" }, "0:00");
    this.total = element("span", { class: "total" }, clock(data.duration));
    this.time = element("span", { class: "time" }, this.now, " / ", this.total);
    this.subtitles = new Menu("subtitles", "Subtitles", "c", (number) => player.setSubtitles(number));
    this.sound = new Menu("sound", "Sound", "", (number) => player.setSound(number));
    this.speed = new Menu("speed", "Speed", "<>", (rate) => player.setSpeed(rate));
    this.help = iconButton("help", "Keys", "?", () => player.showHelp());
    this.window = iconButton("window", "Picture in picture", "i", () => player.togglePictureInPicture());
    this.full = iconButton("full", "Full screen", "f", () => player.toggleFullScreen());
    this.window.hidden = data.kind !== "video" || !document.pictureInPictureEnabled;
    this.full.hidden = data.kind !== "video";
    this.help.classList.add("wide-only");
    this.row = element("div", { class: "row" },
      this.play, this.mute, this.volume, this.time, element("span", { class: "space" }),
      this.subtitles.whole, this.sound.whole, this.speed.whole, this.help, this.window, this.full);
    this.whole = element("div", { class: "controls" }, this.seekBar.bar, this.row);
    for (const name of ["play", "pause", "ended", "timeupdate", "progress", "durationchange", "volumechange",
      "ratechange", "seeking", "seeked", "emptied"]) {
      video.addEventListener(name, () => this.update());
    }
    document.addEventListener("fullscreenchange", () => this.update());
    this.fillMenus();
    this.update();
  }

  fillMenus() {
    const { player } = this;
    const texts = player.data.subtitles.map(({ label }, number) => [number, label]);
    this.subtitles.fill([[-1, "Off"], ...texts], player.subtitles);
    this.subtitles.whole.hidden = texts.length === 0;
    const sounds = player.soundTracks;
    this.sound.fill(sounds.map(({ label, language }, number) => [number, label || language || `Track ${number + 1}`]), player.sound);
    this.sound.whole.hidden = sounds.length < 2;
    this.speed.fill(SPEEDS.map((rate) => [rate, rate === 1 ? "Normal" : `${rate}×`]), player.video.playbackRate);
  }

  // A step up or down the list of speeds.
  static nextSpeed(rate, step) {
    const place = SPEEDS.findIndex((each) => each >= rate);
    return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, place + step))];
  }

  update() {
    const { player } = this;
    const { video } = player;
    if (video.ended) {
      relabel(this.play, "again", "Play again", "k");
    } else if (video.paused) {
      relabel(this.play, "play", "Play", "k");
    } else {
      relabel(this.play, "pause", "Pause", "k");
    }
    const isSilent = video.muted || video.volume === 0;
    relabel(this.mute, isSilent ? "mute" : "loud", isSilent ? "Sound on" : "Mute", "m");
    this.volume.value = isSilent ? 0 : video.volume;
    this.volume.style.setProperty("--at", `${isSilent ? 0 : video.volume * 100}%`);
    const isFull = document.fullscreenElement !== null;
    relabel(this.full, isFull ? "small" : "full", isFull ? "Leave full screen" : "Full screen", "f");
    this.now.textContent = clock(video.currentTime);
    this.total.textContent = clock(player.duration);
    this.seekBar.update();
  }
}
