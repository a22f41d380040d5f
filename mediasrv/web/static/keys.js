// Keys, as people know them from other players.

import { Controls } from "./controls.js";
import { element } from "./elements.js";

const HELP = [
  [["Space", "k"], "play and pause"],
  [["←", "→"], "5 seconds back and on"],
  [["j", "l"], "10 seconds back and on"],
  [["0", "… 9"], "to tenths of it"],
  [["<", ">"], "slower and faster"],
  [["m"], "sound off and on"],
  [["↑", "↓"], "louder and softer, on the player"],
  [["c"], "subtitles"],
  [["f"], "full screen"],
  [["i"], "picture in picture"],
  [["?"], "this list"],
];

export function helpDialog() {
  const rows = HELP.map(([keys, meaning]) =>
    element("tr", {}, element("td", {}, ...keys.map((key) => element("kbd", {}, key))), element("td", {}, meaning)));
  const close = element("button", { type: "submit", class: "button main" }, "Close");
  return element("dialog", { class: "help", "aria-label": "Keys" },
    element("h2", {}, "Keys"),
    element("table", {}, element("tbody", {}, ...rows)),
    element("form", { method: "dialog" }, close));
}

const ACTIONS = {
  " ": (player) => player.toggle(),
  k: (player) => player.toggle(),
  ArrowLeft: (player) => player.seekBy(-5),
  ArrowRight: (player) => player.seekBy(5),
  j: (player) => player.seekBy(-10),
  l: (player) => player.seekBy(10),
  Home: (player) => player.seek(0),
  End: (player) => player.seek(player.duration),
  "<": (player) => player.setSpeed(Controls.nextSpeed(player.video.playbackRate, -1)),
  ">": (player) => player.setSpeed(Controls.nextSpeed(player.video.playbackRate, 1)),
  m: (player) => player.toggleMute(),
  c: (player) => player.toggleSubtitles(),
  f: (player) => player.toggleFullScreen(),
  i: (player) => player.togglePictureInPicture(),
  "?": (player) => player.showHelp(),
};

// These scroll the page, unless one is in the player.
const INSIDE = {
  ArrowUp: (player) => player.setVolume(player.video.volume + 0.05),
  ArrowDown: (player) => player.setVolume(player.video.volume - 0.05),
};

export function listen(player) {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
      return;
    }
    const isInside = player.whole.contains(target) || document.fullscreenElement !== null;
    if (target.closest("input, textarea, select, [contenteditable]") && !(isInside && !event.key.startsWith("Arrow"))) {
      return;
    }
    if (event.key === " " && target.closest("button, a, summary")) {
      return;
    }
    if (["Home", "End"].includes(event.key) && !isInside) {
      return;
    }
    const digit = /^[0-9]$/.test(event.key) ? (to) => to.seek((to.duration * Number(event.key)) / 10) : null;
    const action = digit ?? ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()] ?? (isInside ? INSIDE[event.key] : null);
    if (action) {
      event.preventDefault();
      action(player);
      player.wake();
    }
  });
}
