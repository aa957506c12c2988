// In the header of every page: how many parts the lesson of this browser has, and the way to it.

import { blockCount } from "./lib/lesson/lesson.js";
import { openMine } from "./lib/lesson/mine.js";

const chip = document.getElementById("mine");

function show({ lesson }) {
  const count = blockCount(lesson);
  chip.hidden = count === 0 && !chip.hasAttribute("aria-current");
  chip.querySelector("[data-count]").textContent = count ? String(count) : "";
}
const mine = openMine(window, { onChange: show });
mine.open().then(() => show(mine.now()));
