// Folders and search: what may be filtered, put in order and gone through by keys. Without it all links work.

import { clock } from "./clock.js";
import { element } from "./elements.js";

const folder = document.querySelector(".folder");
const list = folder.querySelector(".cards") ?? element("ul");
const cards = [...folder.querySelectorAll(".card")];

// Pictures that there are none of: the drawing is seen instead.
function watchPictures() {
  const remove = ({ target }) => target.matches?.(".picture img") && target.remove();
  list.addEventListener("error", remove, true);
  for (const picture of list.querySelectorAll(".picture img")) {
    if (picture.complete && picture.src && picture.naturalWidth === 0 && picture.loading !== "lazy") {
      picture.remove();
    }
  }
}

// Durations that the server did not know yet are asked for when their cards are seen, a few at a time.
class Durations {
  constructor() {
    this.waiting = [];
    this.running = 0;
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "200px" });
    for (const card of cards) {
      const isMedia = card.matches(".video, .audio, .list");
      if (isMedia && !card.querySelector(".badge")) {
        this.observer.observe(card);
      }
    }
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        this.observer.unobserve(target);
        this.waiting.push(target);
      }
    }
    while (this.running < 3 && this.waiting.length) {
      this.next();
    }
  }

  async next() {
    const card = this.waiting.shift();
    this.running += 1;
    try {
      const seconds = await durationOf(card.querySelector("a"));
      if (seconds) {
        const badge = element("time", { class: "badge", datetime: `PT${seconds.toFixed(1)}S` }, clock(seconds + 0.5));
        card.querySelector(".picture").append(badge);
      }
    } catch {
      // it is not known, then
    } finally {
      this.running -= 1;
      if (this.waiting.length) {
        this.next();
      }
    }
  }
}

async function durationOf(link) {
  const root = new URL(document.querySelector(".home").href).pathname;
  const path = new URL(link.href).pathname.slice(root.length).replace(/\/$/, "");
  const response = await fetch(`${folder.dataset.api}/${path}`);
  return response.ok ? (await response.json()).duration : null;
}

const orders = {
  name: (one, other) => one.place - other.place,
  newest: (one, other) => other.modified - one.modified,
  oldest: (one, other) => one.modified - other.modified,
};

function watchOrder(select) {
  const known = cards.map((card, place) => ({
    card, place, modified: Number(card.dataset.modified), isFolder: card.classList.contains("folder"),
  }));
  select.addEventListener("change", () => {
    const order = orders[select.value];
    known.sort((one, other) => other.isFolder - one.isFolder || order(one, other));
    known.forEach(({ card }) => card.parentNode.append(card));
  });
}

function watchFilter(field) {
  const nothing = folder.querySelector(".no-match");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      const isMatch = words.every((word) => card.dataset.name.includes(word));
      card.hidden = !isMatch;
      count += isMatch;
    }
    nothing.hidden = count > 0;
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      field.value = "";
      field.dispatchEvent(new Event("input"));
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      folder.querySelector(".card:not([hidden]) a")?.focus();
      event.preventDefault();
    }
  });
}

// Arrows go from card to card as they lie on the screen; / goes to the search.
function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) {
      return;
    }
    if (event.key === "/") {
      const search = document.querySelector(".search input");
      search.focus();
      search.select();
      event.preventDefault();
    } else if (event.key === "Backspace") {
      document.querySelector(".crumbs li:nth-last-child(2) a")?.click();
    } else if (event.key.startsWith("Arrow")) {
      const next = neighbour(event.key);
      if (next) {
        next.focus();
        event.preventDefault();
      }
    }
  });
}

function neighbour(key) {
  const links = [...folder.querySelectorAll(".card:not([hidden]) a")];
  const here = links.indexOf(document.activeElement);
  if (here < 0) {
    return document.activeElement === document.body ? links[0] : null;
  }
  const { top } = links[0].getBoundingClientRect();
  const columns = Math.max(1, links.findIndex((link) => link.getBoundingClientRect().top > top + 4));
  const perRow = links.length > 1 && links.at(-1).getBoundingClientRect().top <= top + 4 ? links.length : columns;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow };
  return links[here + steps[key]];
}

watchPictures();
watchKeys();
new Durations();
for (const tools of folder.querySelectorAll(".for-script")) {
  tools.hidden = false;
  watchFilter(tools.querySelector(".filter"));
  watchOrder(tools.querySelector(".order"));
}
