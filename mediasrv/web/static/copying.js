// A button beside each line that one may want elsewhere.

import { iconButton, relabel } from "./elements.js";

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // over plain HTTP there is no clipboard: what is selected can be copied all the same
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

export function addCopyButtons(whole) {
  for (const line of whole.querySelectorAll(".lines dd")) {
    const source = line.querySelector("a") ?? line.querySelector("code");
    const name = line.previousElementSibling.textContent;
    const button = iconButton("copy", `Copy: ${name}`, "", async () => {
      try {
        await copy(source.href ?? source.textContent);
        relabel(button, "done", "Copied", "");
      } catch {
        relabel(button, "copy", "It could not be copied", "");
      }
      setTimeout(() => relabel(button, "copy", `Copy: ${name}`, ""), 1500);
    });
    line.append(button);
  }
}
