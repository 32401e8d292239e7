// The line below the item field: what became of the last entry, in the language of the page.

import { byId } from "./dom.js";
import { say } from "./words.js";

const GOOD = ["item_added", "item_removed", "item_twice", "item_pick", "linked"];

export class ToldLine {
  #told = null;

  /** Says a text by its key; null says nothing. `fault` has a message of its own. */
  tell(key, values = {}) {
    this.#told = key && { key, values };
    this.showWords();
  }

  /** Says it anew, in the language of the page. */
  showWords() {
    const place = byId("item-told");
    const told = this.#told;
    const fault = told !== null && !GOOD.includes(told.key);
    place.classList.toggle("fault", fault);
    byId("item").setAttribute("aria-invalid", String(fault));
    place.textContent = told === null ? "" : told.key === "fault" ? told.values.message : say(told.key, told.values);
  }
}
