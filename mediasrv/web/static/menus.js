// A button with a menu from which one thing is chosen (WAI-ARIA: menu button, menuitemradio).

import { element, iconButton } from "./elements.js";

export class Menu {
  // choose(value) is called with what was chosen.
  constructor(drawing, label, keys, choose) {
    this.label = label;
    this.choose = choose;
    this.button = iconButton(drawing, label, keys, () => this.toggle());
    this.button.setAttribute("aria-haspopup", "menu");
    this.button.setAttribute("aria-expanded", "false");
    this.list = element("div", { class: "menu", role: "menu", "aria-label": label, hidden: true });
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.whole = element("div", { class: "with-menu" }, this.button, this.list);
    this.whole.addEventListener("focusout", (event) => {
      if (!this.whole.contains(event.relatedTarget)) {
        this.close();
      }
    });
    document.addEventListener("pointerdown", (event) => this.whole.contains(event.target) || this.close());
  }

  // items: [value, text]; the one that holds.
  fill(items, chosen) {
    this.list.replaceChildren(element("p", { class: "menu-title", "aria-hidden": "true" }, this.label));
    for (const [value, text] of items) {
      const onclick = () => {
        this.close();
        this.button.focus();
        this.choose(value);
      };
      const isChosen = String(value === chosen);
      this.list.append(
        element("button", { type: "button", role: "menuitemradio", "aria-checked": isChosen, tabindex: "-1", onclick }, text),
      );
    }
  }

  get items() {
    return [...this.list.querySelectorAll("[role=menuitemradio]")];
  }

  get isOpen() {
    return !this.list.hidden;
  }

  toggle() {
    if (this.isOpen) {
      this.close();
      return;
    }
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    (this.items.find((item) => item.getAttribute("aria-checked") === "true") ?? this.items[0])?.focus();
  }

  close() {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  key(event) {
    const { items } = this;
    const here = items.indexOf(document.activeElement);
    const places = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 };
    if (event.key === "Escape") {
      this.close();
      this.button.focus();
    } else if (event.key in places) {
      items[(places[event.key] + items.length) % items.length]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
