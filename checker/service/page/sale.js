// What the page asks of the counter: the form read into one prescription, and what is still missing in it.

import { byId, choose, chosen, localTime, show } from "./dom.js";
import { Identify, watch } from "./identify.js";
import { Items } from "./items.js";
import { Person } from "./person.js";
import { personalIn } from "./personal.js";
import { Terms } from "./terms.js";
import { say } from "./words.js";

const FREE = ["diagnoses", "visit", "region"];

/** Whether the focus is still where a click on a button left it: who has gone elsewhere meanwhile is not fetched from there. */
const stays = (radio) => [radio, document.body].includes(document.activeElement);

export class Sale {
  #time = null;
  #typing = new Set();

  /** `changed(soon)` is called after each change; `soon` where more typing may follow. */
  constructor(changed) {
    const [now, soon] = [() => changed(false), () => changed(true)];
    this.patient = new Person("patient", soon, () => this.goOn());
    this.insured = new Person("insured", soon, () => this.goOn());
    this.identify = new Identify({
      persons: () => this.#persons,
      done: now,
      code: (text) => this.items.enter(text, { asCode: true }),
    });
    const found = (personal) => this.identify.take(personal);
    this.items = new Items(now, (personal, typed) => this.identify.take(personal, typed));
    this.terms = new Terms({
      changed: now,
      goOn: () => byId("item").focus(),
      diagnose: () => {
        byId("diagnoses").closest("details").open = true;
        byId("diagnoses").focus();
      },
    });
    for (const radio of document.querySelectorAll('input[name="whom"], input[name="card"]')) {
      radio.addEventListener("change", () => {
        // Whose number was read before anybody said whom it is for: of the holder, who now is the user.
        if (this.whom === "self" && !this.patient.isKnown && this.insured.isKnown) this.patient.take(this.insured);
        this.#showParts();
        changed(false);
      });
    }
    // Who chooses with the mouse goes on typing; with the keyboard the arrows still have to choose.
    for (const radio of document.querySelectorAll('#ask input[type="radio"]')) {
      radio.addEventListener("click", (event) => event.detail > 0 && setTimeout(() => stays(radio) && this.goOn()));
      radio.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (!event.currentTarget.checked) event.currentTarget.click();
        this.goOn();
      });
    }
    byId("stage").addEventListener("change", now);
    for (const id of FREE) this.#watchTyping(byId(id), now);
    for (const id of [...FREE, "patient-birth", "insured-birth"]) watch(byId(id), { found, changed: now });
    this.#showParts();
  }

  /** self, child, other, or null while nobody has said. */
  get whom() {
    return chosen("whom");
  }

  /** Whether the credential that pays is that of the person who takes the medicine. */
  get ownCard() {
    return this.whom === "self" || chosen("card") === "own";
  }

  /**
   * When the sale was first checked: it stays, so that a finding keeps its id while the sale is mended. To the millisecond, so that
   * two counters that sell the same within a second have findings of their own.
   */
  get time() {
    return this.#time;
  }

  /** The same as it is read. */
  get timeWords() {
    return this.#time.slice(0, 19).replace("T", " ");
  }

  /** Whether the sale is in a shop: there it is the user, not a patient. */
  get inShop() {
    return byId("stage").value === "dispense";
  }

  /** A key of the words that says what is missing, half or wrong, or null. The person may be unknown where `anyway`. */
  missing(anyway) {
    if (this.whom === null) return "idle_whom";
    if (this.identify.isOpen) return "idle_found";
    if (FREE.some((id) => personalIn(byId(id).value))) return "idle_personal";
    if (this.#typing.size > 0) return "idle_field";
    if (!/^([0-9]{6})?$/.test(this.#region)) return "idle_region";
    const fault = this.patient.fault ?? (this.ownCard ? null : this.insured.fault);
    if (fault) return fault;
    if (this.items.lines.length === 0) return this.items.rows.length > 0 ? "idle_pending" : "idle_item";
    return anyway || this.patient.isKnown ? null : "idle_person";
  }

  /** The prescription as it is sent. */
  prescription() {
    this.#time ??= localTime();
    const sent = { stage: byId("stage").value, service_time: this.#time, patient: this.patient.facts, lines: this.items.lines };
    const insured = this.ownCard ? {} : this.insured.facts;
    if (Object.keys(insured).length > 0) sent.insured = insured;
    const diagnoses = byId("diagnoses").value.normalize("NFKC").split(/[\s,;、]+/).filter(Boolean);
    if (diagnoses.length > 0) sent.diagnoses = diagnoses;
    const visit = byId("visit").value.trim();
    if (visit) sent.visit_id = visit;
    if (this.#region) sent.insured_region = this.#region;
    return { ...sent, ...this.terms.facts(sent.lines, sent.service_time) };
  }

  /** Whether the card holder's details would count and are not known. */
  get isHolderUnknown() {
    return !this.ownCard && !this.insured.isKnown;
  }

  /** The person as the slip names them: no more than whom the medicine is for, and the sex. */
  get personWords() {
    const { sex } = this.patient.facts;
    return [say(`whom_${this.whom}`), ...(sex ? [say(sex)] : [])];
  }

  useOwnCard() {
    choose("card", "own");
    this.#showParts();
  }

  /** Puts the focus where the next thing is to be given. */
  goOn() {
    if (this.whom === null) document.querySelector('input[name="whom"]').focus();
    else if (!this.patient.isKnown) this.patient.focus();
    else if (this.isHolderUnknown && document.activeElement?.closest("#insured-part, #patient-part")) this.#goOnToHolder();
    else byId("item").focus();
  }

  /** A sale without items is another sale when the next item comes. */
  forgetTimeIfEmpty() {
    if (this.items.rows.length === 0) this.#time = null;
  }

  clear() {
    this.#time = null;
    choose("whom", null);
    choose("card", "holder");
    this.identify.close();
    this.patient.clear();
    this.insured.clear();
    this.items.clear();
    this.terms.clear();
    this.#typing.clear();
    byId("stage").value = "dispense";
    for (const id of FREE) byId(id).value = "";
    this.#showParts();
  }

  showWords() {
    this.patient.showWords();
    this.insured.showWords();
    this.items.showWords();
    this.identify.showWords();
  }

  get #region() {
    return byId("region").value.normalize("NFKC").trim();
  }

  get #persons() {
    const patient = { key: "patient", person: this.patient };
    return this.ownCard ? [patient] : [patient, { key: "insured", person: this.insured }];
  }

  #goOnToHolder() {
    const { sex } = this.insured.facts;
    // The holder's details help, but may stay away: from the last of them it goes on to the items.
    if (sex === undefined && document.activeElement.closest("#patient-part")) this.insured.focus();
    else if (sex !== undefined && document.activeElement.type === "radio") this.insured.focus();
    else byId("item").focus();
  }

  /** What is typed into a field counts when it is left or confirmed; until then nothing is asked with half of it. */
  #watchTyping(field, changed) {
    const left = () => {
      if (this.#typing.delete(field.id)) changed();
    };
    field.addEventListener("input", () => {
      if (document.activeElement === field && field.value) this.#typing.add(field.id);
      else this.#typing.delete(field.id);
      changed();
    });
    field.addEventListener("blur", left);
    field.addEventListener("change", left);
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      left();
      byId("item").focus();
    });
  }

  #showParts() {
    const other = this.whom === "child" || this.whom === "other";
    show(byId("card-part"), other);
    show(byId("insured-part"), other && !this.ownCard);
  }
}
