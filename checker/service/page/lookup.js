// What an entry of the item field is, asked of the server.

import { requireLink, requirePoints } from "./answer.js";
import { ask } from "./api.js";
import { asItems } from "./combobox.js";
import { holdsPersonal } from "./personal.js";
import { language } from "./words.js";

const points = async (text, limit) =>
  requirePoints(await ask(`v1/points?lang=${language()}&limit=${limit}&q=${encodeURIComponent(text)}`), text);

/** The link of what stands on a package or of a trade name, or null. */
export async function linkOf(text) {
  try {
    return requireLink(await ask(`v1/links?text=${encodeURIComponent(text)}`));
  } catch (failure) {
    if (failure.status !== 404) throw failure;
    return null;
  }
}

/** The item that a link names; without a code, and no restricted item by its name, nothing but somebody's word tells what it is. */
export const linkedItem = (link) => ({
  state: "ready", code: link.item_code, name: link.item_name, isNamed: !link.item_code && !link.restricted_name, via: link,
});

/** {state, …} of a row (items.js) for an entry (codes.js). Throws AskFailed. */
export async function lookUp({ kind, code, text }) {
  if (kind === "national") return { state: "ready", code, name: await nameOf(code) };
  if (kind !== "name") {
    const link = await linkOf(code);
    return link ? linkedItem(link) : { state: "unknown" };
  }
  const { total, items, nearest } = await points(text, 24);
  const found = asItems(items);
  const exact = found.find((item) => item.name.normalize("NFKC") === text);
  if (exact) return { state: "ready", code: null, name: exact.name };
  const link = await linkOf(text);
  if (link) return linkedItem(link);
  // The ordinary form may be meant, which is not limited: part of a name is asked back, even where one item has it.
  return { state: "choose", total, found, nearest };
}

/** The name of the item that a code is, where only one item has it. */
async function nameOf(code) {
  // A code that could be the number of a person as well is judged, and searched for nowhere.
  if (holdsPersonal(code)) return null;
  const names = asItems((await points(code, 20)).items).map((item) => item.name);
  return names.length === 1 ? names[0] : null;
}
