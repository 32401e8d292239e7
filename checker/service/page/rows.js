// The list of items: each row with its own light, and with what can be done where it is not settled yet.

import { isCodeLike } from "./codes.js";
import { byId, make, show } from "./dom.js";
import { say } from "./words.js";

/** Icon and colour of each light; its words stand beside it always. */
const LIGHTS = {
  violation: ["✖", "red"],
  confirm: ["▲", "yellow"],
  own_card: ["▲", "yellow"],
  notice: ["●", "blue"],
  settled: ["●", "blue"],
  undetermined: ["?", "violet"],
  unjudged: ["○", "blue"],
  not_restricted: ["○", "grey"],
  named: ["○", "grey"],
  self_paid: ["○", "grey"],
  nothing: ["✔", "green"],
  waiting: ["…", "grey"],
  unsettled: ["!", "violet"],
};
const CHOICES = 5;

/** Draws the rows; `light(row)` is the key of a light, the others are what its buttons do. */
export function drawRows(rows, { light, ...does }) {
  show(byId("item-none"), rows.length === 0);
  const list = byId("item-list");
  const focused = document.activeElement?.dataset?.act;
  // The newest first: what was scanned last is in sight, however long the list is.
  list.replaceChildren(...[...rows].reverse().map((row) => rowOf(row, row.state === "ready" ? light(row) : null, does)));
  // Drawing anew must not take the focus from a button that is still there.
  if (focused) list.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
}

function rowOf(row, light, { remove, ...does }) {
  const item = row.name ?? row.code ?? row.typed;
  const isSettled = row.state === "ready";
  const key = isSettled ? (light ?? "waiting") : row.state === "waiting" || row.state === "looking" ? "waiting" : "unsettled";
  const [icon, colour] = LIGHTS[key];
  const told = isSettled ? say(`light_${key}`) : say(`row_${row.state}`);
  const below = [row.name && row.code ? row.code : null, row.via ? say("row_via", { by: row.via.operator ?? "—" }) : null].filter(Boolean);
  return make(
    "li",
    { "data-light": key, "data-line": row.id },
    make("span", { class: `light ${colour}` }, make("span", { class: "icon", "aria-hidden": "true" }, icon), told),
    make(
      "span",
      { class: "row-name" },
      item,
      row.selfPaid ? make("span", { class: "tag" }, say("tag_self_paid")) : null,
      below.length ? make("span", { class: "code" }, below.join(" · ")) : null,
      row.state === "failed" ? make("span", { class: "fault" }, row.told) : null,
      isSettled ? null : settling(row, does),
    ),
    isSettled && row.via ? button(row, "link", say("row_relink"), () => does.link(row), say("row_relink_one", { item })) : null,
    button(row, "remove", say("item_remove"), () => remove(row), say("item_remove_one", { item })),
  );
}

const button = (row, act, words, onclick, label = null) =>
  make("button", { type: "button", class: "small", "data-act": `${act}-${row.id}`, "aria-label": label, onclick }, words);

/** The buttons of a row that somebody has to settle. */
function settling(row, { retry, choose, named, link }) {
  if (row.state === "failed") return make("span", { class: "near" }, button(row, "retry", say("row_retry"), () => retry(row)));
  if (row.state === "unknown") return make("span", { class: "near" }, button(row, "link", say("row_link"), () => link(row)));
  if (row.state !== "choose") return null;
  const near = [...row.found.map((item) => item.name), ...row.nearest].slice(0, CHOICES);
  return make(
    "span",
    { class: "near" },
    near.length ? make("span", {}, say("item_near")) : null,
    near.map((name, place) => button(row, `choose${place}`, name, () => choose(row, name))),
    isCodeLike(row.typed) ? null : button(row, "link", say("row_trade"), () => link(row)),
    isCodeLike(row.typed) ? null : button(row, "named", say("row_named"), () => named(row)),
  );
}
