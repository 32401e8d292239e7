// A scanner types wherever the focus is: what it types on buttons, lists and in other fields is brought to the items, and confirms nothing.

import { readItem } from "./codes.js";
import { byId } from "./dom.js";

/** Milliseconds between two keys of a scanner; nobody types a whole code as fast. */
const GAP_MS = 80;
const SHORTEST = 9;
const OF_ITEMS = ["trace", "barcode", "national", "approval"];
const TEXTS = ["text", "password", "search"];

const isText = (node) => node instanceof HTMLInputElement && TEXTS.includes(node.type);

/** Brings scans to `enter(text)`; `isBusy()` while something else has the keyboard. */
export function catchScans({ enter, isBusy }) {
  const item = byId("item");
  let run = "";
  let last = 0;
  const key = (event) => {
    if (isBusy() || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const { target, key: sign } = event;
    const isFast = event.timeStamp - last < GAP_MS;
    if (sign === "Enter") {
      endRun(event, isFast);
      return;
    }
    if (sign.length !== 1) return;
    run = isFast ? run + sign : sign;
    last = event.timeStamp;
    if (target === item || isText(target)) return;
    // One key on a list of reasons chooses; a second one as fast is a scanner's.
    if (target instanceof HTMLSelectElement && run.length === 1) return;
    if (sign === " " && run.length === 1) return;
    if (run.length > 1) item.value += run.slice(0, -1);
    item.focus();
  };
  const endRun = (event, isFast) => {
    const text = isFast ? run : "";
    run = "";
    const { target } = event;
    if (target === item || !isText(target) || text.length < SHORTEST || !target.value.endsWith(text)) return;
    if (!OF_ITEMS.includes(readItem(text).kind)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    target.value = target.value.slice(0, -text.length);
    target.dispatchEvent(new Event("input", { bubbles: true }));
    enter(text);
  };
  document.addEventListener("keydown", key, { capture: true });
}
