// What an answer lacked to judge an item, asked as compact choices. There are no rules here: what is asked is what an answer names as missing.

import { byId, make, show } from "./dom.js";
import { language, listed, say } from "./words.js";

const KEPT = "liangku.counter";
const PHARMACY = "pharmacy";
const LEVELS = [["三级", "rank_3"], ["二级", "rank_2"], ["一级", "rank_1"], ["未定级", "rank_unrated"]];
/** By what is missing, the values to choose from, as the server reads them, with their words. */
const CHOICES = {
  insurance_type: [["310", "insurance_employees"], ["390", "insurance_residents"], ["工伤保险", "insurance_injury"], ["510", "insurance_maternity"]],
  institution_level: [...LEVELS, [PHARMACY, "place_pharmacy"]],
  prescriber_institution_level: LEVELS,
  care_type: [
    ["11", "care_outpatient"], ["13", "care_emergency"], ["14", "care_chronic"], ["21", "care_inpatient"], ["28", "care_day_surgery"],
    ["71", "care_home_bed"], ["41", "care_pharmacy"], ["51", "care_maternity_outpatient"], ["52", "care_delivery"], ["53", "care_family_planning"],
  ],
  online: [["false", "channel_offline"], ["true", "channel_online"]],
  history: [["no", "history_no"], ["yes", "history_yes"]],
  diagnoses: [],
};
const ORDER = Object.keys(CHOICES);
/** Findings that name what is missing by their reason. */
const LACKING = { prescriber_unknown: "prescriber_institution_level" };

/** The day before a time of the desk: somebody said that it was before, and not when. */
function dayBefore(time) {
  const day = new Date(`${time.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - 1);
  return day.toISOString().slice(0, 10);
}

export class Terms {
  #changed;
  #goOn;
  /** What was asked for in this sale: by id its kind and the lines that wait for it now. History is asked of each line. */
  #asked = new Map();
  #said = new Map();
  /** The lines that were in a question without history: which of them ask for it is known. */
  #seen = new Set();
  #drawn = "";

  /** `changed()` is called after each choice, `goOn()` where the mouse made it, `diagnose()` takes to the field of diagnoses. */
  constructor({ changed, goOn, diagnose }) {
    this.#changed = changed;
    this.#goOn = goOn;
    this.diagnose = diagnose;
  }

  /** Whether something is asked and not answered. */
  get isOpen() {
    return this.#shown.some((id) => this.#value(id) === null && this.#asked.get(id).lines.length > 0);
  }

  /** What was answered, in words. */
  words(nameOf) {
    const answered = this.#shown.filter((id) => this.#value(id) !== null);
    return answered.map((id) => `${this.#title(id, nameOf)}${language() === "en" ? ": " : "："}${say(this.#choices(id).find(([value]) => value === this.#value(id))[1])}`);
  }

  /** What is sent of it with these lines at this time. */
  facts(lines, time) {
    const facts = {};
    for (const id of this.#shown) {
      const value = this.#value(id);
      if (value === null || this.#asked.get(id).kind === "history") continue;
      if (value === PHARMACY) facts.care_type ??= "41";
      else facts[id] = id === "online" ? value === "true" : value;
    }
    const history = this.#history(lines, time);
    return history === null ? facts : { ...facts, history };
  }

  /** Takes what an answer to a question says is missing; whether more is known by now than was asked with. */
  take(answer, { lines, service_time, ...sent }) {
    if (!sent.history) for (const { line_id } of lines) this.#seen.add(line_id);
    for (const [id, each] of this.#asked) {
      each.lines = [];
      if (each.kind === "history" && !lines.some(({ line_id }) => line_id === each.line)) this.#asked.delete(id);
    }
    const lacking = [
      ...answer.not_judged.map(({ line_id, missing }) => [missing, line_id]),
      ...answer.findings.map(({ line_id, reason_code }) => [LACKING[reason_code], line_id]),
    ];
    for (const [kind, line] of lacking) {
      if (!Object.hasOwn(CHOICES, kind)) continue;
      const id = kind === "history" ? `history-${line}` : kind;
      const asked = this.#asked.get(id) ?? { kind, line, lines: [] };
      asked.lines.push(line);
      this.#asked.set(id, asked);
    }
    const known = this.facts(lines, service_time);
    return Object.keys(known).some((key) => JSON.stringify(known[key]) !== JSON.stringify(sent[key]));
  }

  clear() {
    this.#asked.clear();
    this.#said.clear();
    this.#seen.clear();
  }

  /** Shows what is asked; what was answered stays, to be changed. */
  draw(nameOf) {
    const shown = this.#shown;
    const titles = shown.map((id) => [id, this.#title(id, nameOf), listed([...new Set(this.#asked.get(id).lines)].map(nameOf))]);
    const place = byId("terms");
    show(byId("terms-part"), shown.length > 0);
    byId("terms-title").textContent = say(this.isOpen ? "terms_open" : "terms_done");
    // Drawn anew only where something else is asked: a choice must keep the focus.
    const drawn = JSON.stringify([language(), titles]);
    if (drawn !== this.#drawn) {
      const focused = document.activeElement?.closest?.("#terms") ? document.activeElement.id : null;
      place.replaceChildren(...titles.map((each) => this.#question(...each)));
      if (focused) byId(focused)?.focus();
      this.#drawn = drawn;
    }
    for (const radio of place.querySelectorAll("input")) radio.checked = this.#value(radio.dataset.id) === radio.value;
  }

  /** What is asked or was answered, in the order of the choices. */
  get #shown() {
    const ids = [...this.#asked.keys()].filter((id) => this.#asked.get(id).lines.length > 0 || this.#value(id) !== null);
    return ids.sort((one, other) => ORDER.indexOf(this.#asked.get(one).kind) - ORDER.indexOf(this.#asked.get(other).kind));
  }

  #choices(id) {
    return CHOICES[this.#asked.get(id).kind];
  }

  /** What was said, or what this counter is. */
  #value(id) {
    if (this.#said.has(id)) return this.#said.get(id);
    const place = localStorage.getItem(KEPT);
    if (id === "institution_level") return CHOICES[id].some(([value]) => value === place) ? place : null;
    return id === "care_type" && place === PHARMACY ? "41" : null;
  }

  #choose(id, value) {
    this.#said.set(id, value);
    if (id === "institution_level") {
      // Where the counter stands does not change with the customer.
      localStorage.setItem(KEPT, value);
      if (value === PHARMACY || this.#said.get("care_type") === "41") this.#said.delete("care_type");
    } else if (id === "care_type") {
      if (value === "41") localStorage.setItem(KEPT, PHARMACY);
      else if (localStorage.getItem(KEPT) === PHARMACY) localStorage.removeItem(KEPT);
      if (this.#said.get("institution_level") === PHARMACY || value === "41") this.#said.delete("institution_level");
    }
    this.#changed();
  }

  #history(lines, time) {
    const asked = lines.filter(({ line_id }) => this.#asked.has(`history-${line_id}`));
    const said = asked.map(({ line_id }) => this.#value(`history-${line_id}`));
    // A history holds for all lines: with one that nobody was asked about yet it would say too much.
    if (asked.length === 0 || said.includes(null) || !lines.every(({ line_id }) => this.#seen.has(line_id))) return null;
    return asked.filter((_, place) => said[place] === "yes").map(({ line_id, paid_by_fund, ...item }) => ({ ...item, service_time: dayBefore(time) }));
  }

  #title(id, nameOf) {
    const { kind, line } = this.#asked.get(id);
    return say(`ask_${kind}`, { item: nameOf(line) });
  }

  #question(id, title, waiting) {
    const beside = [waiting && say("ask_for", { items: waiting }), id === "institution_level" && say("ask_kept")].filter(Boolean);
    const legend = make("legend", {}, title, beside.map((each) => make("span", { class: "for" }, each)));
    if (this.#asked.get(id).kind === "diagnoses") {
      const fill = make("button", { type: "button", class: "small", id: `terms-${id}`, onclick: this.diagnose }, say("ask_diagnoses_go"));
      return make("fieldset", { class: "inner", "data-asks": id }, legend, fill);
    }
    return make(
      "fieldset",
      { class: "inner", "data-asks": id },
      legend,
      make("div", { class: "choices" }, this.#choices(id).map(([value, words], place) => this.#choice(id, value, words, place))),
    );
  }

  #choice(id, value, words, place) {
    const onchange = () => this.#choose(id, value);
    // Who chooses with the mouse goes on with the next item.
    const onclick = (event) => event.detail > 0 && setTimeout(this.#goOn);
    const radio = make("input", { type: "radio", id: `terms-${id}-${place}`, name: `terms-${id}`, value, "data-id": id, onchange, onclick });
    return make("label", { class: "choice" }, radio, make("span", {}, say(words)));
  }
}
