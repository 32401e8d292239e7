// One person on the page: sex, birth date or age, or both out of an ID number that is cleared at once.

import { byId, choose, chosen } from "./dom.js";
import { readBirthOrAge, readIdNumber } from "./idnumber.js";
import { say } from "./words.js";

/** The fields of one person, whose ids begin with `prefix`; `changed` is called after each change. */
export class Person {
  #prefix;
  #birth;
  #number;
  #told;
  #numberTold;
  #newborn;
  #numberSays = null;

  constructor(prefix, changed) {
    this.#prefix = prefix;
    this.#birth = byId(`${prefix}-birth`);
    this.#number = byId(`${prefix}-id`);
    this.#told = byId(`${prefix}-birth-told`);
    this.#numberTold = byId(`${prefix}-id-told`);
    this.#newborn = byId(`${prefix}-newborn`);
    for (const radio of document.querySelectorAll(`input[name="${prefix}-sex"]`)) radio.addEventListener("change", changed);
    this.#newborn?.addEventListener("change", changed);
    this.#birth.addEventListener("input", () => {
      this.showWords();
      changed();
    });
    this.#number.addEventListener("input", () => this.#typed(changed));
    this.#number.addEventListener("change", () => this.#typed(changed, true));
    this.#number.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#typed(changed, true);
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

  /** Whether something was typed that is no date and no age. */
  get isFaulty() {
    return Boolean(readBirthOrAge(this.#birth.value).fault);
  }

  clear() {
    choose(`${this.#prefix}-sex`, null);
    this.#birth.value = this.#number.value = "";
    if (this.#newborn) this.#newborn.checked = false;
    this.#numberSays = null;
    this.showWords();
  }

  /** Says anew, in the language of the page, what was understood. */
  showWords() {
    const { birth, age, fault } = readBirthOrAge(this.#birth.value);
    this.#told.textContent = fault ? say(fault) : birth ? say("birth_is", { birth }) : age !== undefined ? say("age_is", { age }) : "";
    this.#told.classList.toggle("fault", Boolean(fault));
    this.#birth.setAttribute("aria-invalid", String(Boolean(fault)));
    const numberFault = this.#numberSays !== null && this.#numberSays !== "id_read";
    this.#numberTold.textContent = this.#numberSays === null ? "" : say(this.#numberSays);
    this.#numberTold.classList.toggle("fault", numberFault);
    this.#number.setAttribute("aria-invalid", String(numberFault));
  }

  #typed(changed, whole = false) {
    const typed = this.#number.value.replace(/[\s-]/g, "");
    if (typed.length < 18 && !(whole && typed)) {
      if (typed) this.#numberSays = null;
      this.showWords();
      return;
    }
    const { sex, birth, fault } = readIdNumber(typed);
    this.#numberSays = fault ?? "id_read";
    if (!fault) {
      this.#number.value = "";
      choose(`${this.#prefix}-sex`, sex);
      this.#birth.value = birth;
    }
    this.showWords();
    if (!fault) changed();
  }
}
