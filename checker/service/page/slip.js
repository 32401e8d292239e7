// The printed slip [提示单]: items, verdict, reasons, basis, decisions, time and knowledge; no name and no ID number.

import { kindOf, markOf, signature } from "./conclusion.js";
import { decisionWords } from "./decision.js";
import { make } from "./dom.js";
import { basisWords, whoWords } from "./finding.js";
import { listed, say } from "./words.js";

const row = (label, ...texts) => [make("dt", {}, say(label)), make("dd", {}, texts.map((text) => make("p", {}, text)))];

function findingPart(finding, decision, reasons, inShop) {
  const who = whoWords(finding, inShop);
  return make(
    "section",
    {},
    make("h3", {}, `${markOf(kindOf(finding))[0]} ${say(`mark_${kindOf(finding)}`)}  ${finding.item_name ?? finding.item_code ?? ""}`),
    make(
      "dl",
      {},
      row("field_why", finding.message),
      who ? row("field_who", who) : [],
      finding.advice ? row("field_do", finding.advice) : [],
      finding.rule_id ? row("field_basis", ...basisWords(finding)) : [],
      decision ? row("slip_decision", decisionWords(decision, reasons)) : [],
    ),
  );
}

/** Fills the slip with what the page shows. */
export function fillSlip(place, { kind, detail, rows, person, inShop, shop, findings, decisions, reasons, notes, time, knowledge }) {
  const continued = new Map(decisions.filter((each) => each.way === "continue").map((each) => [each.signature, each]));
  const changed = decisions.filter((each) => each.way !== "continue");
  const signatures = ["slip_sign_customer", "slip_sign_operator", "slip_sign_pharmacist"];
  const parts = [
    shop ? make("p", { class: "slip-shop" }, shop) : null,
    make("h2", {}, say("slip")),
    make(
      "dl",
      {},
      row("slip_time", time),
      person.length ? row("slip_person", listed(person)) : [],
      row("slip_items", ...rows.map(({ row: each, light }) => [each.name, each.code, say(`light_${light}`)].filter(Boolean).join("  "))),
      row("slip_verdict", `${markOf(kind)[0]} ${say(`conclusion_${kind}`)}`, ...(detail ? [detail] : [])),
    ),
    ...findings.map((finding) => findingPart(finding, continued.get(signature(finding)), reasons, inShop)),
    ...(changed.length ? [make("dl", {}, row("slip_decision", ...changed.map((each) => `${each.item} · ${decisionWords(each, reasons)}`)))] : []),
    make("dl", {}, notes.length ? row("field_note", ...notes) : [], knowledge ? row("slip_knowledge", knowledge) : []),
    make("div", { class: "slip-signs" }, signatures.map((each) => make("p", {}, say(each)))),
    make("p", { class: "slip-foot" }, say("slip_foot")),
  ];
  place.replaceChildren(...parts.filter(Boolean));
}
