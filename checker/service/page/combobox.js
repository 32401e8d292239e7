// The item field: restricted items that match what is typed, chosen by arrow keys and Enter or by a click (an ARIA combobox).

import { requirePoints } from "./answer.js";
import { ask } from "./api.js";
import { maySuggest } from "./codes.js";
import { make, show } from "./dom.js";
import { language, say } from "./words.js";

const WAIT_MS = 120;
const AT_MOST = 12;

/** Points as the items that they stand for: {name, limit, rule, inForce}, each name once. */
export function asItems(points) {
  const items = new Map();
  for (const point of points) {
    const seen = items.get(point.item_name);
    if (seen === undefined) {
      items.set(point.item_name, { name: point.item_name, rules: [point.rule_name], limit: point.limit, inForce: point.in_force });
    } else {
      seen.inForce ||= point.in_force;
      if (!seen.rules.includes(point.rule_name)) seen.rules.push(point.rule_name);
    }
  }
  return [...items.values()];
}

export class Combobox {
  #input;
  #list;
  #told;
  #items = [];
  #active = -1;
  #chosen = null;
  #timer = null;
  #asked = 0;

  /** `take(item)` is called with a chosen item, `enter(text)` with what was typed where none is chosen; `typed()` after each key. */
  constructor({ input, list, told, take, enter, typed }) {
    this.#input = input;
    this.#list = list;
    this.#told = told;
    this.take = take;
    input.addEventListener("input", () => {
      typed();
      this.close();
      clearTimeout(this.#timer);
      const text = input.value.normalize("NFKC").trim();
      // A run of digits is a scanner at work, or the number of a person: it ends with Enter.
      if (maySuggest(text)) this.#timer = setTimeout(() => this.#suggest(text), WAIT_MS);
    });
    input.addEventListener("keydown", (event) => this.#key(event, enter));
    input.addEventListener("blur", () => this.close());
  }

  /** Opens the list on items; the first is made active where `chooseFirst`, and `chosen` is called with the one taken in place of `take`. */
  open(items, { chooseFirst = false, chosen = null } = {}) {
    this.#chosen = chosen;
    this.#items = items.slice(0, AT_MOST);
    this.#list.replaceChildren(...this.#items.map((item, number) => this.#option(item, number)));
    this.#setActive(chooseFirst ? 0 : -1);
    const any = this.#items.length > 0;
    show(this.#list, any);
    this.#input.setAttribute("aria-expanded", String(any));
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#items = [];
    this.#list.replaceChildren();
    show(this.#list, false);
    this.#input.setAttribute("aria-expanded", "false");
    this.#setActive(-1);
    this.#told.textContent = "";
  }

  #option(item, number) {
    const limit = [item.limit, ...item.rules].filter(Boolean).join(" · ");
    return make(
      "li",
      { role: "option", id: `${this.#list.id}-${number}`, "aria-selected": "false", onpointerdown: (event) => this.#click(event, item) },
      make("span", { class: "option-name" }, item.name),
      make("span", { class: "option-limit" }, item.inForce ? limit : `${limit}（${say("not_in_force")}）`),
    );
  }

  #click(event, item) {
    event.preventDefault();
    this.#taken(item);
  }

  #taken(item) {
    const chosen = this.#chosen ?? this.take;
    this.close();
    chosen(item);
  }

  async #suggest(text) {
    const asked = (this.#asked += 1);
    try {
      const found = requirePoints(await ask(`v1/points?lang=${language()}&limit=${AT_MOST * 2}&q=${encodeURIComponent(text)}`), text);
      if (asked !== this.#asked) return;
      const items = asItems(found.items);
      this.open(items);
      this.#told.textContent = say("options_count", { total: items.length });
    } catch (failure) {
      if (asked === this.#asked) this.#told.textContent = failure.message;
    }
  }

  #key(event, enter) {
    if (event.isComposing) return;
    const count = this.#items.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (count === 0) return;
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#setActive(this.#active === -1 ? (step === 1 ? 0 : count - 1) : (this.#active + step + count) % count);
    } else if (event.key === "Escape") {
      this.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(this.#timer);
      const item = this.#items[this.#active];
      if (item) this.#taken(item);
      else {
        this.close();
        enter(this.#input.value);
      }
    }
  }

  #setActive(number) {
    this.#active = number;
    for (const [place, option] of [...this.#list.children].entries()) option.setAttribute("aria-selected", String(place === number));
    const option = this.#list.children[number];
    if (option) {
      this.#input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      this.#input.removeAttribute("aria-activedescendant");
    }
  }
}
