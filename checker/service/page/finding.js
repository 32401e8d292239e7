// One finding as a card: mark, item, reason, who, basis, remarks, and what to do about it.

import { kindOf, markOf } from "./conclusion.js";
import { make } from "./dom.js";
import { hasWords, language, listed, say } from "./words.js";

const NOT_LISTED = /^not_in_([0-9]{4})_list$/;

const PATIENTS = ["患者", "the patient"];
const INSURED = ["参保人", "the insured person"];

/** Whether a finding is about who takes the medicine or whose credential pays: not about the prescription, or the terms of payment. */
export const isOfPerson = ({ person }) => [...PATIENTS, ...INSURED].includes(person);

/** A limit of age as it is said: 14岁以下 for < 14 岁. */
export function limitWords(limit) {
  const [zh, en] = [/^< ([0-9]+) (岁|个月|天)$/.exec(limit), /^< ([0-9]+) (\w+)$/.exec(limit)];
  if (zh) return `${zh[1]}${zh[2]}以下`;
  if (en) return `under ${en[1]} ${en[2]}`;
  const from = /^≥ ([0-9]+) (岁|个月|天)$/.exec(limit);
  return from ? `${from[1]}${from[2]}及以上` : limit;
}

/** Who was judged, and against which limit; in a shop it is the user of the medicine. */
export function whoWords(finding, inShop) {
  if (!finding.person) return null;
  const named = inShop && PATIENTS.includes(finding.person) ? say("user") : finding.person;
  const person = language() === "en" ? named.replace(/^the /, "") : named;
  const expected = finding.expected ? limitWords(finding.expected) : say("value_unknown");
  return say("who_limit", { person, actual: finding.actual ?? say("value_unknown"), expected });
}

/** The rule with its national code, the point, the documents and the published rows. */
export function basisWords(finding) {
  if (!finding.rule_id) return [];
  const [open, close] = language() === "en" ? [" (", ")"] : ["（", "）"];
  const rule = finding.rule_code ? `${finding.rule_name}${open}${finding.rule_code}${close}` : finding.rule_name;
  return [rule, say("point", { point: finding.point_id }), ...(finding.evidence ?? "").split(/；|; /).filter(Boolean)];
}

/** A remark as the server's catalogue says it, or the point's own as it stands. */
function remarkWords(remark, exemption) {
  const year = NOT_LISTED.exec(remark);
  const known = `remark_${year ? "not_in_2026_list" : remark}`;
  const told = hasWords(known) ? say(known) : remark;
  if (year) return told.replace("2026", year[1]);
  return remark === "lowered_exemption" ? `${told}${language() === "en" ? ` (${exemption})` : `（${exemption}）`}` : told;
}

function adviceWords(finding) {
  if (finding.verdict === "exempt") return [say("next_exempt", { exemption: finding.exemption_id })];
  const next = `next_${finding.reason_code}`;
  return [hasWords(next) ? say(next) : null, finding.advice].filter(Boolean);
}

/** A polite sentence for the customer. `whom` is self, child or other; `ownCard` whether the credential is the user's own. */
export function scriptWords(finding, { whom, ownCard }) {
  const item = finding.item_name ?? finding.item_code;
  const ofPerson = isOfPerson(finding);
  if (finding.verdict === "undetermined") return say(ofPerson ? "script_undetermined" : "script_terms", { item });
  const user = say(whom === "child" ? "script_child" : "script_user");
  const way = !ofPerson ? say("script_other") : ownCard ? say("script_else") : say("script_own", { whom: user });
  return say("script_violation", { message: finding.message, level: say(`script_${finding.level}`), way });
}

const field = (label, texts) => (texts.length ? [make("dt", {}, say(label)), make("dd", {}, texts.map((text) => make("p", {}, text)))] : []);

/** The card of a finding. `ways` are the elements of what to do, `decision` the form or what was decided. */
export function findingCard(finding, { several, ways, decision, continued, inShop }) {
  const kind = kindOf(finding);
  // With a reason on record it no longer stops anybody; what it is stays said.
  const [icon, colour] = markOf(continued ? "settled" : kind);
  const mark = continued ? say("card_continued", { was: say(finding.level ? `level_${finding.level}` : `verdict_${finding.verdict}`) }) : say(`mark_${kind}`);
  const who = whoWords(finding, inShop);
  return make(
    "article",
    { class: `finding ${colour}${continued ? " done" : ""}`, "data-finding": finding.finding_id, "aria-labelledby": `head-${finding.finding_id}` },
    make(
      "h3",
      { id: `head-${finding.finding_id}` },
      make("span", { class: "mark" }, make("span", { class: "icon", "aria-hidden": "true" }, icon), mark),
      make("span", { class: "finding-item" }, several && !finding.item_name ? `${finding.line_id} ` : "", finding.item_name ?? finding.item_code ?? ""),
      finding.item_name && finding.item_code ? make("span", { class: "code" }, finding.item_code) : null,
    ),
    make(
      "dl",
      {},
      field("field_why", [finding.message]),
      field("field_who", who ? [who] : []),
      field("field_note", finding.remarks.map((remark) => remarkWords(remark, finding.exemption_id))),
      field("field_do", adviceWords(finding)),
      field("field_basis", basisWords(finding)),
    ),
    ways,
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
