// One person on the page: sex, birth date or age, or both out of an ID number that is cleared at once.

import { readBirthOrAge } from "./dates.js";
import { byId, choose, chosen } from "./dom.js";
import { personalIn, readIdNumber } from "./personal.js";
import { say } from "./words.js";

const SCAN_MS = 150;

/** The fields of one person, whose ids begin with `prefix`; `changed` is called after each change, `done` where nothing more is to be given. */
export class Person {
  #prefix;
  #birth;
  #number;
  #newborn;
  #changed;
  #done;
  #numberSays = null;
  #isTyping = false;
  #length = 0;
  #timer = null;

  constructor(prefix, changed, done) {
    this.#prefix = prefix;
    this.#changed = changed;
    this.#done = done;
    this.#birth = byId(`${prefix}-birth`);
    this.#number = byId(`${prefix}-id`);
    this.#newborn = byId(`${prefix}-newborn`);
    for (const radio of document.querySelectorAll(`input[name="${prefix}-sex"]`)) radio.addEventListener("change", changed);
    this.#newborn?.addEventListener("change", changed);
    this.#birth.addEventListener("input", () => {
      this.#isTyping = true;
      this.#told();
    });
    this.#birth.addEventListener("blur", () => this.#left());
    this.#birth.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#left();
      if (this.#birth.value && !this.fault) this.#done();
    });
    this.#number.addEventListener("input", () => this.#typed());
    this.#number.addEventListener("change", () => this.#read());
    this.#number.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      if (this.#read()) this.#done();
    });
  }

  /** What is sent of this person. */
  get facts() {
    const { birth, age } = readBirthOrAge(this.#birth.value);
    const facts = {};
    const sex = chosen(`${this.#prefix}-sex`);
    if (sex) facts.sex = sex;
    if (birth) facts.birth_date = birth;
    if (age !== undefined) facts.age = age;
    if (this.#newborn?.checked) facts.newborn = true;
    return facts;
  }

  /** Whether sex and birth date or age are given. */
  get isKnown() {
    const { sex, birth_date, age } = this.facts;
    return sex !== undefined && (birth_date !== undefined || age !== undefined);
  }

  /** A key of the words that says what is half or wrong, or null: with it nothing is asked. */
  get fault() {
    if (personalIn(this.#birth.value)) return "idle_personal";
    if (this.#number.value.trim() !== "") return "idle_id";
    const { fault, isWhole } = readBirthOrAge(this.#birth.value);
    if (fault) return "idle_birth";
    return this.#isTyping && !isWhole ? "idle_typing" : null;
  }

  /** Takes over what a number of a person says. */
  fill({ sex, birth }) {
    if (sex) choose(`${this.#prefix}-sex`, sex);
    this.#birth.value = birth ?? "";
    this.#isTyping = false;
    this.#told();
  }

  /** Takes over what is known of another, who is the same person. */
  take(other) {
    choose(`${this.#prefix}-sex`, other.facts.sex ?? null);
    this.#birth.value = other.#birth.value;
    this.#told();
  }

  /** Where to go on: the first field that is not given. */
  focus() {
    const group = `input[name="${this.#prefix}-sex"]`;
    (chosen(`${this.#prefix}-sex`) === null ? document.querySelector(group) : this.#birth).focus();
  }

  clear() {
    choose(`${this.#prefix}-sex`, null);
    this.#birth.value = this.#number.value = "";
    this.#length = 0;
    if (this.#newborn) this.#newborn.checked = false;
    this.#numberSays = null;
    this.#isTyping = false;
    this.showWords();
  }

  /** Says anew, in the language of the page, what was understood. */
  showWords() {
    const { birth, number, unit, fault } = readBirthOrAge(this.#birth.value);
    // While it is typed, half of a date is no mistake yet.
    const wrong = fault && !(this.#isTyping && fault === "birth_half");
    const said = fault ? say(fault) : birth ? say("birth_is", { birth }) : number !== undefined ? say(`age_is_${unit}`, { age: number }) : "";
    tell(`${this.#prefix}-birth`, said, Boolean(wrong));
    const numberSays = this.#numberSays === null ? "" : say(this.#numberSays);
    tell(`${this.#prefix}-id`, numberSays, this.#numberSays !== null && !["id_read", "card_read"].includes(this.#numberSays));
  }

  #told() {
    this.showWords();
    this.#changed();
  }

  #left() {
    if (!this.#isTyping) return;
    this.#isTyping = false;
    this.#told();
  }

  /** A number that was pasted is whole; one that is typed or scanned may go on. */
  #typed() {
    const { value } = this.#number;
    const pasted = value.length - this.#length > 1;
    this.#length = value.length;
    this.#numberSays = null;
    this.#told();
    clearTimeout(this.#timer);
    if (value.replace(/[\s-]/g, "").length < 15) return;
    if (pasted) this.#read();
    else this.#timer = setTimeout(() => this.#read({ isPause: true }), SCAN_MS);
  }

  /** Reads the number and clears it; whether it was read. At a pause one that is too short may go on. */
  #read({ isPause = false } = {}) {
    clearTimeout(this.#timer);
    const typed = this.#number.value.replace(/[\s-]/g, "");
    if (typed === "") return false;
    if (isPause && typed.length < 18) return false;
    const found = personalIn(typed, { passports: true }) ?? readIdNumber(typed);
    if (found.kind === "insurance" || found.kind === "passport") {
      this.#clearNumber(found.kind === "insurance" ? "insurance_code" : "passport");
      return false;
    }
    if (found.kind === "card") {
      this.fill({ sex: null, birth: found.birth });
      this.#clearNumber(found.birth ? "card_read" : "card_century");
      return false;
    }
    if (found.fault) {
      this.#numberSays = found.fault;
      this.#told();
      return false;
    }
    this.fill(found);
    this.#clearNumber("id_read");
    return true;
  }

  #clearNumber(says) {
    this.#number.value = "";
    this.#length = 0;
    this.#numberSays = says;
    this.#told();
  }
}

function tell(field, said, isFault) {
  const place = byId(`${field}-told`);
  place.textContent = said;
  place.classList.toggle("fault", isFault);
  byId(field).setAttribute("aria-invalid", String(isFault));
}
