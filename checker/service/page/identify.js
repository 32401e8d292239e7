// Numbers of persons that were typed or scanned where they do not belong: cleared at once, read here, and never sent.

import { byId, make, show } from "./dom.js";
import { personalIn } from "./personal.js";
import { say } from "./words.js";

const SCAN_MS = 250;

/** Calls `found(personal)` when a field holds the number of a person, after it was cleared; `changed()` while that is not settled. */
export function watch(field, { found, changed }) {
  let timer = null;
  const look = () => {
    clearTimeout(timer);
    const personal = personalIn(field.value);
    if (!personal) return;
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    found(personal);
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    if (!personalIn(field.value)) return;
    // A longer number may begin like one of a person.
    timer = setTimeout(look, SCAN_MS);
    changed();
  });
  field.addEventListener("change", look);
  field.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !personalIn(field.value)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      look();
    },
    { capture: true },
  );
}

/** Asks whose number it is, or says what to do with it; what was read waits here for the answer. */
export class Identify {
  #found = null;
  #code = null;
  #says = null;
  #does;

  /** `persons()` are those to whom it may belong ({key, person}), `done()` follows, `code(text)` takes it for a code of an item. */
  constructor(does) {
    this.#does = does;
  }

  /** Whether an answer is waited for. */
  get isOpen() {
    return this.#found !== null;
  }

  /** Takes in a number; `typed` is given where it may be the code of an item as well. */
  take(personal, typed = null) {
    this.close();
    const { kind } = personal;
    if (kind === "id" || (kind === "card" && personal.birth)) {
      const mayBeCode = typed !== null && kind === "id" && personal.isOld && /^[0-9]{15}$/.test(typed.trim());
      const free = this.#does.persons().filter(({ person }) => !person.isKnown);
      // Where it can be of one only, and nothing is known yet, there is nothing to ask.
      if (!mayBeCode && this.#does.persons().length === 1 && free.length === 1) {
        this.#give(free[0].person, personal);
        this.#say(kind === "id" ? "id_read" : "card_read");
        return;
      }
      this.#found = personal;
      this.#code = mayBeCode ? typed.trim() : null;
      this.#say("found_whose");
    } else {
      this.#say({ insurance: "insurance_code", passport: "passport", card: "card_century", id_wrong: "found_wrong" }[kind]);
    }
    this.#does.done();
  }

  close() {
    this.#found = this.#code = null;
    this.#say(null);
  }

  showWords() {
    this.#say(this.#says);
  }

  #give(person, { sex, birth }) {
    this.#found = this.#code = null;
    person.fill({ sex, birth });
    this.#does.done();
  }

  #say(key) {
    this.#says = key;
    const place = byId("found");
    show(place, key !== null);
    if (key === null) {
      place.replaceChildren();
      return;
    }
    const found = this.#found;
    const told = found ? say(key, { sex: found.sex ? say(found.sex) : "", birth: found.birth }) : say(key);
    const button = (words, onclick) => make("button", { type: "button", class: "small", onclick }, words);
    const whose = (found ? this.#does.persons() : []).map(({ key: who, person }) =>
      button(say(`found_${who}`), () => {
        this.#give(person, found);
        this.#say(found.kind === "id" ? "id_read" : "card_read");
      }),
    );
    const code = this.#code;
    const asCode = code && button(say("found_code"), () => {
      this.close();
      this.#does.code(code);
    });
    const close = button(say(found ? "found_nobody" : "found_close"), () => {
      this.close();
      this.#does.done();
    });
    place.replaceChildren(make("p", {}, told), make("div", { class: "near" }, whose, asCode || null, close));
  }
}
