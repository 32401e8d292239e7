// One finding as a card: mark, item, reason, who, basis, remarks, and what to do about it.

import { kindOf, markOf, needsReason } from "./conclusion.js";
import { make } from "./dom.js";
import { hasWords, language, listed, say, valueWords } from "./words.js";

const ROW = /^([^/]+)\/(.+)\/([0-9]+)$/;
const NOT_LISTED = /^not_in_([0-9]{4})_list$/;

/** Who was judged, and against which limit. */
export function whoWords(finding) {
  if (!finding.person) return null;
  const person = language() === "en" ? finding.person.replace(/^the /, "") : finding.person;
  return say("who_limit", { person, actual: valueWords(finding.actual || "不明"), expected: valueWords(finding.expected || "不明") });
}

/** The rule with its national code, the point, the documents and the published rows. */
export function basisWords(finding) {
  if (!finding.rule_id) return [];
  const [open, close] = language() === "en" ? [" (", ")"] : ["（", "）"];
  const rule = finding.rule_code ? `${finding.rule_name}${open}${finding.rule_code}${close}` : finding.rule_name;
  const parts = (finding.evidence ?? "").split("；").filter(Boolean);
  const rows = (parts.at(-1) ?? "").split("; ").map((row) => ROW.exec(row.trim()));
  const known = parts.length > 0 && rows.every(Boolean);
  const sources = known
    ? [
        ...parts.slice(0, -1).filter((part) => !part.startsWith("批次 ")),
        rows.map(([, batch, sheet, row]) => say("source_row", { batch, sheet, row })).join(language() === "en" ? "; " : "；"),
      ]
    : parts;
  return [rule, say("point", { point: finding.point_id }), ...sources];
}

function remarkWords(finding) {
  return finding.remarks
    .map((remark) => {
      const year = NOT_LISTED.exec(remark);
      if (year) return say("not_listed", { year: year[1] });
      if (remark === "lowered_exemption") return say("lowered", { exemption: finding.exemption_id });
      return hasWords(remark) ? say(remark) : null;
    })
    .filter(Boolean);
}

function adviceWords(finding) {
  if (finding.verdict === "exempt") return [say("exempt_do", { exemption: finding.exemption_id })];
  const next = `next_${finding.reason_code}`;
  return [hasWords(next) ? say(next) : null, finding.advice].filter(Boolean);
}

/** A value as it is said to somebody: 男性 rather than 男. */
const spoken = (value) => valueWords(language() === "zh" && ["男", "女"].includes(value) ? `${value}性` : value);

/** A polite sentence for the customer. `whom` is self, child or other; `ownCard` whether the credential is the user's own. */
export function scriptWords(finding, { whom, ownCard }) {
  const item = finding.item_name ?? finding.item_code;
  if (finding.verdict === "undetermined") return say("script_undetermined", { item });
  const user = say(whom === "child" ? "script_child" : "script_user");
  const way = ownCard ? say("script_else") : say("script_own", { whom: user });
  return say("script_violation", {
    item, person: finding.person, actual: spoken(finding.actual), expected: spoken(finding.expected),
    level: say(`script_${finding.level}`), way,
  });
}

const field = (label, texts) => (texts.length ? [make("dt", {}, say(label)), make("dd", {}, texts.map((text) => make("p", {}, text)))] : []);

/** The card of a finding. `ways` are the elements of what to do, `decision` the form or what was decided. */
export function findingCard(finding, { several, ways, decision, continued }) {
  const kind = kindOf(finding);
  const [icon, colour] = markOf(kind);
  const who = whoWords(finding);
  return make(
    "article",
    { class: `finding ${colour}${continued ? " done" : ""}`, "data-finding": finding.finding_id, "aria-labelledby": `head-${finding.finding_id}` },
    make(
      "h3",
      { id: `head-${finding.finding_id}` },
      make("span", { class: "mark" }, make("span", { class: "icon", "aria-hidden": "true" }, icon), say(`mark_${kind}`)),
      make("span", { class: "finding-item" }, several && !finding.item_name ? `${finding.line_id} ` : "", finding.item_name ?? finding.item_code ?? ""),
      finding.item_name && finding.item_code ? make("span", { class: "code" }, finding.item_code) : null,
    ),
    make(
      "dl",
      {},
      field("field_why", [finding.message]),
      field("field_who", who ? [who] : []),
      field("field_note", remarkWords(finding)),
      field("field_do", adviceWords(finding)),
      field("field_basis", basisWords(finding)),
    ),
    needsReason(finding) || kind === "notice" ? ways : null,
    decision,
  );
}

/** One way out: its name, what it means, and a button where the page can take it. */
export const way = (name, told, button = null) => make("li", {}, make("strong", {}, name), make("p", {}, told), button);

/** Ways as a list under their title, the customer's sentence last. */
export const wayList = (finding, ways, script) =>
  make(
    "section",
    { class: "ways", "aria-label": `${say("way_title")}${language() === "en" ? ": " : "："}${listed([finding.item_name ?? finding.item_code ?? ""])}` },
    make("h4", {}, say("way_title")),
    make("ul", {}, ways, make("li", {}, make("strong", {}, say("way_script")), make("blockquote", {}, script))),
  );
