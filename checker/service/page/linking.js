// Saying once which item a code on a package or a trade name is: asked, shown, and kept on the server only after it was confirmed.

import { ask, AskFailed } from "./api.js";
import { byId, show } from "./dom.js";
import { personalIn } from "./personal.js";
import { linkOf } from "./lookup.js";
import { say } from "./words.js";

const KEPT = "liangku.operator";

export class Linking {
  #row = null;
  #item = null;
  #replaces = null;
  #does;

  /** `done(row, item, told)` settles the row, `apart(item)` makes an item a row of its own, `again(row)` looks a row up anew, `changed()` follows. */
  constructor(does) {
    this.#does = does;
    byId("link-keep").addEventListener("click", () => this.#keep());
    byId("link-once").addEventListener("click", () => this.#once());
    byId("link-apart").addEventListener("click", () => this.#apart());
    byId("link-undo").addEventListener("click", () => this.#undo());
    byId("link-cancel").addEventListener("click", () => {
      this.close();
      this.#does.changed();
      byId("item").focus();
    });
    byId("link-operator").value = sessionStorage.getItem(KEPT) ?? "";
  }

  get isOpen() {
    return this.#row !== null;
  }

  isAbout(row) {
    return this.#row === row;
  }

  /** Asks what a row is; the answer is given in the item field. */
  open(row) {
    this.#row = row;
    this.#item = this.#replaces = null;
    byId("link-told").textContent = "";
    this.showWords();
    show(byId("link"), true);
    byId("item").focus();
  }

  close() {
    this.#row = this.#item = null;
    byId("link-told").textContent = "";
    show(byId("link"), false);
  }

  /** Closes where the row that is asked about was removed. */
  drop(id) {
    if (this.#row?.id === id) this.close();
  }

  /** Shows an item as the answer, to be confirmed; false where one waits for that already. */
  propose(item) {
    if (this.#item !== null) return false;
    this.#item = item;
    // The focus stays where scans go: the Enter of the next one must confirm nothing.
    this.showWords();
    return true;
  }

  showWords() {
    if (!this.#row) return;
    const code = this.#row.typed;
    byId("link-title").textContent = say(`link_title_${this.#row.entry.kind}`, { code });
    byId("link-ask").textContent = this.#item ? say("link_confirm", { code, item: this.#item.name ?? this.#item.code }) : say("link_ask");
    const { via } = this.#row;
    byId("link-now").textContent = via ? say("link_now", { item: via.item_name ?? via.item_code, by: via.operator ?? "—", at: via.at?.slice(0, 10) ?? "" }) : "";
    show(byId("link-undo"), Boolean(via));
    show(byId("link-who"), this.#item !== null || Boolean(via));
    show(byId("link-confirm"), this.#item !== null);
  }

  /** Who says so, kept for the next time in this window; null, and told, where nobody does. */
  #operator() {
    const operator = byId("link-operator").value.trim();
    byId("link-told").textContent = "";
    if (operator && !personalIn(operator)) {
      sessionStorage.setItem(KEPT, operator);
      return operator;
    }
    byId("link-told").textContent = say(operator ? "operator_personal" : "need_operator");
    byId("link-operator").focus();
    return null;
  }

  /** Sends what was said; false, and told, where the server did not take it. */
  async #send(path, body) {
    try {
      await ask(path, { body });
      return true;
    } catch (failure) {
      byId("link-told").textContent = failure instanceof AskFailed ? failure.message : say("not_json");
      return false;
    }
  }

  async #keep() {
    const [row, item] = [this.#row, this.#item];
    const operator = row && item && this.#operator();
    if (!operator) return;
    const text = row.entry.code ?? row.entry.text;
    const body = { text, operator, ...(item.code && { item_code: item.code }), ...(item.name && { item_name: item.name }), ...(item.isNamed && { unrestricted: true }) };
    try {
      const now = await linkOf(text);
      const isSame = now && now.item_code === (item.code ?? null) && now.item_name === (item.name ?? null);
      if (now && !isSame && this.#replaces !== now.id) {
        this.#replaces = now.id;
        byId("link-told").textContent = say("link_replace", { item: now.item_name ?? now.item_code, by: now.operator ?? "—" });
        return;
      }
      if (now) body.replaces = now.id;
    } catch (failure) {
      byId("link-told").textContent = failure.message;
      return;
    }
    if (!(await this.#send("v1/links", body)) || this.#row !== row) return;
    this.#settle(row, item, ["linked", { code: row.typed, item: item.name ?? item.code }]);
  }

  async #undo() {
    const row = this.#row;
    const operator = row?.via && this.#operator();
    if (!operator) return;
    if (!(await this.#send("v1/links/undo", { text: row.entry.code ?? row.entry.text, operator, id: row.via.id })) || this.#row !== row) return;
    this.close();
    this.#does.again(row);
  }

  /** Confirms what is proposed, as the button does. */
  confirm() {
    if (this.#item) this.#keep();
  }

  #once() {
    if (this.#row && this.#item) this.#settle(this.#row, this.#item, null);
  }

  #apart() {
    const [row, item] = [this.#row, this.#item];
    this.close();
    if (item) this.#does.apart(item);
    if (row) this.#does.changed();
  }

  #settle(row, item, told) {
    this.close();
    this.#does.done(row, item, told);
    byId("item").focus();
  }
}
