// Who watches what, kept up to date by server-sent events.

import { clock } from "./clock.js";
import { element } from "./elements.js";

const whole = document.querySelector(".sessions");
const { api, root } = whole.dataset;
const rows = whole.querySelector("tbody");
const table = whole.querySelector(".table");
const nothing = whole.querySelector(".nothing");
const live = whole.querySelector(".live");
const sessions = new Map();

function size(count) {
  if (count < 1000) {
    return `${count} B`;
  }
  const units = ["kB", "MB", "GB", "TB"];
  let amount = count / 1000;
  while (amount >= 999.5 && units.length > 1) {
    amount /= 1000;
    units.shift();
  }
  return `${amount.toFixed(amount >= 99.95 ? 0 : 1)} ${units[0]}`;
}

// "/movies/a.mp4" as a reference from here.
function pageOf(path) {
  return root + path.replace(/^\/+|\/+$/g, "").split("/").map(encodeURIComponent).join("/") + "/";
}

function since(seconds) {
  const then = new Date(seconds * 1000);
  const isToday = then.toDateString() === new Date().toDateString();
  return then.toLocaleString([], isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

// The row of a session, and the cells of it that change.
class Row {
  constructor(session) {
    this.session = session;
    this.state = element("span");
    this.link = element("a", { href: pageOf(session.path) }, session.title || session.path);
    this.tracks = element("span", { class: "detail" });
    this.transport = element("span", { class: "detail", title: session.transport });
    this.position = element("td", { class: "number", "data-label": "Position" });
    this.progress = element("progress", { max: "1", hidden: true, "aria-label": "Position" });
    this.clock = element("span");
    this.position.append(this.clock, this.progress);
    this.sent = element("td", { class: "number", "data-label": "Sent" });
    this.lost = element("td", { class: "number", "data-label": "Lost" });
    this.end = element("button", { type: "button", class: "button", onclick: () => this.ask() }, "End");
    this.end.setAttribute("aria-label", `End the session of ${session.peer}`);
    this.whole = element("tr", { "data-id": session.id },
      element("td", { "data-label": "State" }, this.state),
      element("td", { class: "what" }, this.link, this.tracks),
      element("td", { "data-label": "Who" }, session.peer, this.transport),
      element("td", { "data-label": "Since" }, element("time", {}, since(session.startedAt))),
      this.position, this.sent, this.lost,
      element("td", { class: "act" }, this.end));
    this.update(session);
  }

  update(changes) {
    const session = Object.assign(this.session, changes);
    this.state.className = `state ${session.state}`;
    this.state.textContent = session.state;
    this.tracks.textContent = (session.tracks ?? []).join(", ");
    // of several tracks the first, without the numbers of its ports
    const [first] = (session.transport ?? "").split(",");
    this.transport.textContent = [session.door, ...first.split(";").slice(0, 2)].filter(Boolean).join(" · ");
    const { position, duration } = session;
    const isKnown = duration || position;
    this.clock.textContent = duration ? `${clock(position)} / ${clock(duration)}` : isKnown ? clock(position) : "–";
    this.progress.hidden = !duration;
    this.progress.value = duration ? Math.min(1, position / duration) : 0;
    this.sent.textContent = size(session.octetsSent ?? 0);
    this.lost.textContent = session.fractionLost ? `${(session.fractionLost * 100).toFixed(1)} %` : "–";
  }

  // Twice: what ends cannot be undone.
  async ask() {
    if (!this.isAsked) {
      this.isAsked = true;
      this.end.textContent = "Really?";
      this.end.classList.add("danger");
      setTimeout(() => this.calm("End"), 4000);
      return;
    }
    this.end.disabled = true;
    const response = await fetch(`${api}/${encodeURIComponent(this.session.id)}`, { method: "DELETE" }).catch(() => null);
    if (response?.ok || response?.status === 404) {
      return;
    }
    const isForbidden = [401, 403].includes(response?.status);
    this.calm(isForbidden ? "Not allowed" : "Failed");
  }

  calm(text) {
    this.isAsked = false;
    this.end.disabled = false;
    this.end.textContent = text;
    this.end.classList.remove("danger");
  }
}

function put(session) {
  const known = sessions.get(session.id);
  if (known) {
    known.update(session);
    return;
  }
  const row = new Row(session);
  sessions.set(session.id, row);
  rows.append(row.whole);
  count();
}

function drop(id) {
  sessions.get(id)?.whole.remove();
  sessions.delete(id);
  count();
}

function count() {
  whole.querySelector(".count").textContent = sessions.size;
  nothing.hidden = sessions.size > 0;
  table.hidden = sessions.size === 0;
}

const handlers = {
  snapshot(list) {
    sessions.clear();
    rows.replaceChildren();
    list.forEach(put);
    count();
  },
  added: put,
  changed: put,
  removed: ({ id }) => drop(id),
  progress: (list) => list.forEach((each) => sessions.get(each.id)?.update(each)),
};

function follow() {
  const events = new EventSource(`${api}/events`);
  events.addEventListener("open", () => {
    live.textContent = "Live";
    live.classList.add("on");
  });
  events.addEventListener("error", () => {
    live.textContent = "The connection is gone. Trying again …";
    live.classList.remove("on");
    if (events.readyState === EventSource.CLOSED) {
      setTimeout(follow, 5000);
    }
  });
  for (const [name, handle] of Object.entries(handlers)) {
    events.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  }
}

table.hidden = rows.childElementCount === 0;
follow();
