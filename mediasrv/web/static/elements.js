// Elements of the page, made by hand: no markup is read from text, so no name of a file can be any.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

// Paths on a square of 24.
const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
  again: "M12 5V1.500L6.5 6 12 10.500V7a5.5 5.5 0 1 1-5.5 5.500h-2A7.5 7.5 0 1 0 12 5z",
  loud: "M3.5 9v6h4l5 5V4l-5 5zM15 8.200v7.600a4.2 4.2 0 0 0 0-7.600zM15 3.800v2.100a6.5 6.5 0 0 1 0 12.200v2.100a8.5 8.5 0 0 0 0-16.400z",
  mute: "M3.5 9v6h4l5 5V4l-5 5zM20.8 9.600l-1.4-1.4-2.4 2.4-2.4-2.4-1.4 1.4 2.4 2.4-2.4 2.4 1.4 1.4 2.4-2.4 2.4 2.4 1.4-1.4-2.4-2.400z",
  subtitles: "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM6 11v2h4v-2zM6 15v2h8v-2zM12 11v2h6v-2zM16 15v2h2v-2z",
  sound: "M9 5l11-2v12.500a3 3 0 1 1-2-2.800V7l-7 1.300v9.200a3 3 0 1 1-2-2.800z",
  speed: "M12 4a9 9 0 0 0-7.8 13.500l1.7-1A7 7 0 1 1 18 16.500l1.7 1A9 9 0 0 0 12 4zM16.5 8.500l-5.3 3a1.8 1.8 0 1 0 1.5 2z",
  window: "M3 5h18v14H3zM5 7v10h14V7zM12 11.500h5.500v4H12z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  small: "M8 4h2v6H4V8h4zM14 4h2v4h4v2h-6zM4 14h6v6H8v-4H4zM14 14h6v2h-4v4h-2z",
  help: "M12 2.500a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zM11 16.500h2v2h-2zM8.3 9.700a3.7 3.7 0 1 1 5.7 3.100c-.7.5-1 .8-1 2.200h-2c0-2.2.8-3 1.8-3.700a1.8 1.8 0 1 0-2.6-1.600z",
  copy: "M8 3h11a1 1 0 0 1 1 1v13h-2V5H8zM5 7h9a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM6 9v10h7V9z",
  done: "M9.5 15.6 5.4 11.5 4 12.900l5.5 5.500L20.5 7.4 19.1 6z",
};

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("fill-rule", "evenodd");
  drawing.append(path);
  setIcon(drawing, name);
  return drawing;
}

export function setIcon(drawing, name) {
  drawing.firstChild.setAttribute("d", PATHS[name]);
}

// A button that is a drawing; its name is for screen readers and for who points at it.
export function iconButton(name, label, keys, onclick) {
  const button = element("button", { type: "button", onclick }, icon(name));
  call(button, label, keys);
  return button;
}

// Gives a button another name, and another drawing.
export function relabel(button, name, label, keys) {
  setIcon(button.querySelector("svg"), name);
  call(button, label, keys);
}

function call(button, label, keys) {
  button.setAttribute("aria-label", label);
  button.title = keys ? `${label} (${keys})` : label;
  if (keys) {
    button.setAttribute("aria-keyshortcuts", keys);
  }
}
