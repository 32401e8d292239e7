// What the page asks of the counter: the form read into one prescription, and what is still missing in it.

import { byId, choose, chosen, localTime, show } from "./dom.js";
import { Items } from "./items.js";
import { Person } from "./person.js";
import { say } from "./words.js";

export class Sale {
  /** `changed(soon)` is called after each change; `soon` where more typing may follow. */
  constructor(changed) {
    const now = () => changed(false);
    this.patient = new Person("patient", () => changed(true));
    this.insured = new Person("insured", () => changed(true));
    this.items = new Items(now);
    this.#time = null;
    for (const radio of document.querySelectorAll('input[name="whom"], input[name="card"]')) {
      radio.addEventListener("change", () => {
        this.#showParts();
        changed(false);
      });
    }
    byId("stage").addEventListener("change", now);
    for (const id of ["diagnoses", "visit"]) byId(id).addEventListener("input", () => changed(true));
    this.#showParts();
  }

  #time;

  /** self, child, other, or null while nobody has said. */
  get whom() {
    return chosen("whom");
  }

  /** Whether the credential that pays is that of the person who takes the medicine. */
  get ownCard() {
    return this.whom === "self" || chosen("card") === "own";
  }

  /** When the sale was first checked: it stays, so that a finding keeps its id while the sale is mended. */
  get time() {
    return this.#time;
  }

  /** A key of the words that says what is missing, or null. The person may be unknown where `anyway`. */
  missing(anyway) {
    if (this.whom === null) return "idle_whom";
    if (this.items.rows.length === 0) return "idle_item";
    if (this.patient.isFaulty || (!this.ownCard && this.insured.isFaulty)) return "idle_birth";
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
    return sent;
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

  /** A sale without items is another sale when the next item comes. */
  forgetTimeIfEmpty() {
    if (this.items.rows.length === 0) this.#time = null;
  }

  clear() {
    this.#time = null;
    choose("whom", null);
    choose("card", "holder");
    this.patient.clear();
    this.insured.clear();
    this.items.clear();
    byId("stage").value = "dispense";
    byId("diagnoses").value = byId("visit").value = "";
    this.#showParts();
  }

  showWords() {
    this.patient.showWords();
    this.insured.showWords();
    this.items.showWords();
  }

  #showParts() {
    const other = this.whom === "child" || this.whom === "other";
    show(byId("card-part"), other);
    show(byId("insured-part"), other && !this.ownCard);
  }
}
