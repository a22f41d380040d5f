// What runs on the page of one presentation.

import { addCopyButtons } from "./copying.js";
import { Player } from "./player.js";

const whole = document.querySelector(".player[data-presentation]");
if (whole) {
  const player = new Player(whole);
  // for who looks after it from the console
  whole.player = player;
  player.start();
}
addCopyButtons(document);
