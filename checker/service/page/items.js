// The items of one sale. What is entered becomes a row at once and is looked up in its turn: nothing is lost, and nothing is passed over.

import { Combobox } from "./combobox.js";
import { isCodeLike, readItem } from "./codes.js";
import { byId } from "./dom.js";
import { Linking } from "./linking.js";
import { lookUp } from "./lookup.js";
import { drawRows } from "./rows.js";
import { ToldLine } from "./toldline.js";

/**
 * A row: {id, typed, entry, state, code, name, isNamed, selfPaid, …}. `entry` is what codes.js reads. States: `waiting` and `looking` until
 * it was looked up; `choose` (several or none fit: `found`, `nearest`), `unknown` (a code on a package that nobody linked yet) and `failed`
 * (`told`) until somebody settles it; `ready`. `isNamed`: somebody says that it is no restricted item, and there is no code to check that.
 */
export class Items {
  #changed;
  #personal;
  #rows = [];
  #serial = 0;
  #running = false;
  #line = new ToldLine();
  #light = () => null;
  #box;
  #linking;
  #input = byId("item");

  /** `changed()` is called after each change, `personal(found, typed, asCode)` where the number of a person was entered. */
  constructor(changed, personal) {
    this.#changed = changed;
    this.#personal = personal;
    this.#box = new Combobox({
      input: this.#input,
      list: byId("item-options"),
      told: byId("item-count"),
      take: (item) => {
        this.#input.value = "";
        this.#take({ name: item.name });
      },
      enter: (text) => this.enter(text),
      typed: () => this.#line.tell(null),
    });
    this.#linking = new Linking({
      done: (row, { code, name, isNamed }, told) => {
        this.#settle(row, { code, name, isNamed });
        if (told) this.#line.tell(...told);
      },
      apart: (item) => this.#take(item),
      again: (row) => this.#again(row),
      changed: () => this.#update(),
    });
    byId("item-add").addEventListener("click", () => {
      this.#box.close();
      this.enter(this.#input.value);
      this.#input.focus();
    });
    this.showWords();
  }

  get rows() {
    return this.#rows;
  }

  /** Whether something is being looked up or waits for it. */
  get isLooking() {
    return this.#rows.some(({ state }) => state === "waiting" || state === "looking");
  }

  /** What was typed and is no row yet. */
  get typed() {
    return this.#input.value.trim();
  }

  /** What nothing judges as yet: text in the field, and rows that somebody has to settle. */
  get pending() {
    const open = this.#rows.filter((row) => row.state !== "ready" || this.#linking.isAbout(row)).map((row) => row.typed);
    return this.typed ? [...open, this.typed] : open;
  }

  /** The lines of the prescription. */
  get lines() {
    return this.#ready.map((row) => ({
      line_id: row.id,
      ...(row.code ? { item_code: row.code } : { item_name: row.name, ...(row.isNamed ? {} : { by_name: true }) }),
      ...(row.selfPaid ? { paid_by_fund: false } : {}),
    }));
  }

  get #ready() {
    return this.#rows.filter(({ state }) => state === "ready");
  }

  /** The ids of the lines that somebody says are no restricted items, without a code. */
  get named() {
    return new Set(this.#ready.filter((row) => row.isNamed && !row.selfPaid).map((row) => row.id));
  }

  /** How a line is called on the page. */
  nameOf(id) {
    const row = this.#rows.find((each) => each.id === id);
    return row ? (row.name ?? row.code) : id;
  }

  /** Takes in what was typed or scanned: from here on it stands in the list, and the field is free for the next. */
  enter(typed, { asCode = false } = {}) {
    const entry = asCode ? { kind: "national", code: typed } : readItem(typed);
    this.#line.tell(null);
    if (entry.kind === "personal") {
      this.#input.value = "";
      this.#personal(entry.personal, typed);
      return;
    }
    if (entry.kind === "fault") {
      // It stays where it is, to be mended.
      this.#line.tell(entry.fault, { text: typed.trim() });
      this.#changed();
      return;
    }
    this.#input.value = "";
    this.#serial += 1;
    this.#rows = [...this.#rows, { id: String(this.#serial), typed: typed.trim(), entry, state: "waiting", code: null, name: null }];
    this.#update();
    this.#run();
  }

  makeSelfPaid(id) {
    this.#change(id, { selfPaid: true });
  }

  remove(id) {
    const row = this.#rows.find((each) => each.id === id);
    if (!row) return;
    this.#rows = this.#rows.filter((each) => each.id !== id);
    this.#linking.drop(id);
    this.#line.tell("item_removed", { item: row.name ?? row.code ?? row.typed });
    this.#list();
  }

  clear() {
    this.#rows = [];
    this.#serial = 0;
    this.#input.value = "";
    this.#box.close();
    this.#linking.close();
    this.#line.tell(null);
    this.#list();
  }

  /** Confirms the link that is proposed, if one is. */
  confirmLink() {
    this.#linking.confirm();
  }

  /** Shows beside each row what became of it; `light(row)` gives the key of the words. */
  showLights(light) {
    this.#light = light;
    this.#list();
  }

  /** Says anew, in the language of the page, what stands in the list and below the field. */
  showWords() {
    this.#list();
    this.#line.showWords();
    this.#linking.showWords();
  }

  /** Looks up what waits, one after the other in the order in which it was entered. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    for (let row = this.#next(); row; row = this.#next()) {
      row.state = "looking";
      this.#update();
      let found;
      try {
        found = await lookUp(row.entry);
      } catch (failure) {
        found = { state: "failed", told: failure.message };
      }
      // Removed meanwhile, or the next person's turn: what was found is of nobody.
      if (this.#rows.includes(row)) this.#found(row, found);
    }
    this.#running = false;
  }

  #next() {
    return this.#rows.find(({ state }) => state === "waiting");
  }

  #found(row, found) {
    if (found.state === "ready") {
      this.#settle(row, found);
      return;
    }
    Object.assign(row, found);
    if (found.state === "choose" && found.found.length > 0) {
      this.#line.tell("item_pick", { total: found.total });
      // Only where nobody types: the list must not take the Enter of the next scan.
      if (!this.typed && document.activeElement === this.#input) {
        this.#box.open(found.found, { chooseFirst: true, chosen: (item) => this.#settle(row, { code: null, name: item.name }) });
      }
    }
    if (found.state === "choose" && found.found.length === 0) this.#line.tell(isCodeLike(row.typed) ? "item_short" : "item_unknown", { text: row.typed });
    if (found.state === "failed") this.#line.tell("fault", { message: found.told });
    if (found.state === "unknown" && !this.#linking.isOpen) this.#linking.open(row);
    this.#update();
  }

  /** An item was chosen from the list, or named: it answers the panel where that asks what a code is, else it is a row of its own. */
  #take(item) {
    if (this.#linking.isOpen && this.#linking.propose(item)) {
      this.#update();
      return;
    }
    this.#serial += 1;
    const row = { id: String(this.#serial), typed: item.name ?? item.code, entry: { kind: "name", text: item.name }, state: "looking" };
    this.#rows = [...this.#rows, row];
    this.#settle(row, item);
  }

  /** It is known what a row is. The same item twice is one row; an answer to the panel is none. */
  #settle(row, { code = null, name = null, isNamed = false, via = null }) {
    const isAnswer = this.#linking.isOpen && !this.#linking.isAbout(row) && !via && ["name", "national"].includes(row.entry.kind);
    if (isAnswer && this.#linking.propose({ code, name, isNamed })) {
      this.#rows = this.#rows.filter((each) => each !== row);
      this.#line.tell(null);
      this.#update();
      return;
    }
    const item = name ?? code;
    // What was made self-paid stands for no other package.
    const isSame = (each) => each !== row && each.state === "ready" && !each.selfPaid && each.code === code && each.name === name;
    if (this.#rows.some(isSame)) {
      this.#rows = this.#rows.filter((each) => each !== row);
      this.#line.tell("item_twice", { item });
    } else {
      Object.assign(row, { state: "ready", code, name, isNamed, via });
      this.#line.tell("item_added", { item });
    }
    this.#update();
  }

  #again(row) {
    Object.assign(row, { state: "waiting", code: null, name: null, isNamed: false, via: null });
    this.#update();
    this.#run();
  }

  #change(id, values) {
    for (const row of this.#rows) if (row.id === id) Object.assign(row, values);
    this.#list();
  }

  #update() {
    this.#list();
    this.#changed();
  }

  #list() {
    drawRows(this.#rows, {
      light: this.#light,
      remove: (row) => {
        this.remove(row.id);
        this.#input.focus();
        this.#changed();
      },
      retry: (row) => this.#again(row),
      choose: (row, name) => {
        this.#settle(row, { name });
        this.#input.focus();
      },
      named: (row) => {
        this.#settle(row, { name: row.typed, isNamed: true });
        this.#input.focus();
      },
      link: (row) => {
        this.#linking.open(row);
        this.#changed();
      },
    });
  }
}
