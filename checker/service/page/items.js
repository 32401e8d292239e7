// The items of one sale: added by code, name or trace code, listed, taken off. Nothing that is not understood is passed over.

import { ask } from "./api.js";
import { asItems, Combobox } from "./combobox.js";
import { byId, make, show } from "./dom.js";
import { language, say } from "./words.js";

const NATIONAL = /^(X[A-Z0-9]{22}|Z[A-Z0-9]{19}|T[A-Z0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}|C[A-Z0-9]{26})$/;
const TRACE = /^[0-9]{20}$/;

export class Items {
  #changed;
  #rows = [];
  #serial = 0;
  #tracing = null;
  #told = null;
  #box;
  #input = byId("item");

  constructor(changed) {
    this.#changed = changed;
    this.#box = new Combobox({
      input: this.#input,
      list: byId("item-options"),
      told: byId("item-count"),
      take: (item) => this.#run(() => this.#found({ name: item.name })),
      enter: (text) => this.#run(() => this.#enter(text)),
      typed: () => this.#tell(null),
    });
    byId("item-add").addEventListener("click", () => this.#run(() => this.#enter(this.#input.value)));
    byId("trace-cancel").addEventListener("click", () => this.#trace(null));
    this.showWords();
  }

  /** What was typed and not added; nothing judges it. */
  get pending() {
    return this.#input.value.trim();
  }

  get rows() {
    return this.#rows;
  }

  /** The lines of the prescription. */
  get lines() {
    return this.#rows.map((row) => ({
      line_id: row.id,
      ...(row.code ? { item_code: row.code } : { item_name: row.name, by_name: true }),
      ...(row.selfPaid ? { paid_by_fund: false } : {}),
    }));
  }

  /** How a line is called on the page. */
  nameOf(id) {
    const row = this.#rows.find((each) => each.id === id);
    return row ? (row.name ?? row.code) : id;
  }

  makeSelfPaid(id) {
    this.#rows = this.#rows.map((row) => (row.id === id ? { ...row, selfPaid: true } : row));
    this.#list();
  }

  remove(id) {
    const item = this.nameOf(id);
    this.#rows = this.#rows.filter((row) => row.id !== id);
    this.#list();
    this.#tell("item_removed", { item });
  }

  clear() {
    this.#rows = [];
    this.#serial = 0;
    this.#input.value = "";
    this.#box.close();
    this.#trace(null);
    this.#tell(null);
    this.#list();
  }

  /** Says anew, in the language of the page, what stands in the list and below the field. */
  showWords() {
    this.#list();
    this.#say();
    if (this.#tracing) byId("trace-title").textContent = say("trace_title", { code: this.#tracing });
  }

  /** Adding asks the server, which may fail: that is told, and nothing is added. */
  async #run(adding) {
    try {
      await adding();
    } catch (failure) {
      this.#tell("fault", { message: failure.message });
      this.#changed();
    }
  }

  async #enter(typed) {
    const text = typed.normalize("NFKC").trim();
    const code = text.replace(/\s/g, "").toUpperCase();
    if (text === "") this.#tell("item_empty");
    else if (TRACE.test(code)) await this.#scanned(code);
    else if (NATIONAL.test(code)) await this.#coded(code);
    else await this.#named(text);
  }

  async #coded(code) {
    const { items } = await ask(`v1/points?lang=${language()}&limit=20&q=${encodeURIComponent(code)}`);
    const names = asItems(items).map((item) => item.name);
    await this.#found({ code, name: names.length === 1 ? names[0] : null, unlisted: names.length === 0 });
  }

  async #named(text) {
    const { total, items, nearest } = await ask(`v1/points?lang=${language()}&limit=24&q=${encodeURIComponent(text)}`);
    const found = asItems(items);
    const exact = found.find((item) => item.name.normalize("NFKC") === text);
    if (exact) {
      await this.#found({ name: exact.name });
    } else if (found.length > 0) {
      // The ordinary form may be meant, which is not limited: part of a name is asked back, even where one item has it.
      this.#tell("item_pick", { total });
      this.#box.open(found, { chooseFirst: true });
      this.#input.focus();
    } else {
      this.#tell(/^[\x20-\x7e]+$/.test(text) && /[0-9]/.test(text) ? "item_short" : "item_unknown", { text }, nearest);
      this.#changed();
    }
  }

  async #scanned(code) {
    let known;
    try {
      known = await ask(`v1/trace/${code}`);
    } catch (failure) {
      if (failure.status !== 404) throw failure;
      this.#input.value = "";
      this.#trace(code);
      return;
    }
    this.#trace(null);
    await this.#found({ code: known.item_code ?? null, name: known.item_name ?? null });
  }

  /** An item is known: it is linked to the trace code that waits for one, and added. */
  async #found({ code = null, name = null, unlisted = false }) {
    if (this.#tracing) {
      const body = { trace_code: this.#tracing, ...(code && { item_code: code }), ...(name && { item_name: name }) };
      const { prefix } = await ask("v1/trace", { body });
      this.#trace(null);
      this.#add({ code, name, unlisted });
      this.#tell("trace_linked", { prefix, item: name ?? code });
    } else {
      this.#add({ code, name, unlisted });
    }
  }

  #add({ code, name, unlisted }) {
    this.#input.value = "";
    this.#input.focus();
    const item = name ?? code;
    if (this.#rows.some((row) => row.code === code && row.name === name)) {
      this.#tell("item_twice", { item });
      this.#changed();
      return;
    }
    this.#serial += 1;
    this.#rows = [...this.#rows, { id: String(this.#serial), code, name, unlisted, selfPaid: false }];
    this.#list();
    this.#tell("item_added", { item });
    this.#changed();
  }

  #trace(code) {
    this.#tracing = code;
    show(byId("trace"), code !== null);
    if (code === null) return;
    byId("trace-title").textContent = say("trace_title", { code });
    this.#tell(null);
    this.#input.focus();
    this.#changed();
  }

  #list() {
    show(byId("item-none"), this.#rows.length === 0);
    byId("item-list").replaceChildren(...this.#rows.map((row) => this.#line(row)));
  }

  #line(row) {
    const item = row.name ?? row.code;
    const tags = [row.selfPaid && say("tag_self_paid"), row.unlisted && say("tag_unlisted")].filter(Boolean);
    const remove = () => {
      this.remove(row.id);
      this.#input.focus();
      this.#changed();
    };
    return make(
      "li",
      {},
      make("span", { class: "row-name" }, item, row.name && row.code ? make("span", { class: "code" }, row.code) : null),
      tags.map((tag) => make("span", { class: "tag" }, tag)),
      make("button", { type: "button", class: "small", "aria-label": say("item_remove_one", { item }), onclick: remove }, say("item_remove")),
    );
  }

  #tell(key, values = {}, nearest = []) {
    this.#told = key && { key, values, nearest };
    this.#say();
  }

  #say() {
    const place = byId("item-told");
    const told = this.#told;
    const fault = told !== null && ["fault", "item_unknown", "item_short", "item_empty"].includes(told.key);
    place.classList.toggle("fault", fault);
    this.#input.setAttribute("aria-invalid", String(fault));
    if (told === null) place.replaceChildren();
    else place.replaceChildren(told.key === "fault" ? told.values.message : say(told.key, told.values));
    const near = told?.nearest ?? [];
    show(byId("item-near"), near.length > 0);
    byId("item-near").replaceChildren(
      ...(near.length ? [make("span", {}, say("item_near"))] : []),
      ...near.map((name) => make("button", { type: "button", class: "small", onclick: () => this.#run(() => this.#found({ name })) }, name)),
    );
  }
}
