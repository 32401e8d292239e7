// The answer on the page: the conclusion, a card for each finding, what was not judged, and what was decided.

import { byGravity, conclude, kindOf, lightOf, markOf, needsReason, signature, speaking } from "./conclusion.js";
import { decisionForm, decisionWords } from "./decision.js";
import { byId, make, show } from "./dom.js";
import { findingCard, isOfPerson, scriptWords, way, wayList } from "./finding.js";
import { hasWords, language, listed, say } from "./words.js";

/** The conclusion's kind and the sentence beside it. */
export function conclusionOf({ answer, failure, checking, missing }, sale, decisions) {
  if (sale.items.isLooking) return { kind: "checking", detail: say("looking") };
  if (checking) return { kind: "checking", detail: "" };
  if (failure) return { kind: "error", detail: failure };
  if (!answer) return { kind: "idle", detail: say(missing ?? "idle_whom") };
  const continued = continuedOf(decisions);
  const { pending, named } = sale.items;
  const kind = conclude(answer, { continued, ownCard: sale.ownCard, pending: pending.length > 0, named });
  return { kind, detail: say(["unjudged", "undetermined"].includes(kind) && sale.terms.isOpen ? "explanation_ask" : `explanation_${kind}`) };
}

/** The light of each row. */
export function lightsOf({ answer, decisions, remembered }, { items, ownCard }) {
  const continued = continuedOf(decisions);
  const acknowledged = new Set((answer?.acknowledged ?? []).map((id) => remembered.get(id)?.line_id));
  return (row) => lightOf(answer, row.id, { continued, named: items.named, isSelfPaid: Boolean(row.selfPaid), acknowledged, ownCard });
}

const continuedOf = (decisions) => new Set(decisions.filter((each) => each.way === "continue").map((each) => each.signature));

/** The findings to show: those of the answer, and those that it leaves out because a reason is on record. */
export function findingsOf(answer, remembered, named) {
  const left = (answer.acknowledged ?? []).map((id) => remembered.get(id)).filter(Boolean);
  return byGravity([...speaking(answer.findings, named), ...left.filter((each) => !answer.findings.some((one) => one.finding_id === each.finding_id))]);
}

/** What has to be told beside the findings. */
export function notesOf(answer, sale, remembered) {
  if (answer.reviewed === false) return [answer.message].filter(Boolean);
  const { items } = sale;
  const terms = sale.terms.words((id) => items.nameOf(id));
  const unknown = (answer.acknowledged ?? []).filter((id) => !remembered.has(id)).length;
  return [
    ...answer.not_in_force.map(({ line_id, rule_id }) => say("note_not_in_force", { item: items.nameOf(line_id), rule: rule_id })),
    ...(answer.not_in_scope ?? []).map(({ line_id, rule_id }) => say("note_not_in_scope", { item: items.nameOf(line_id), rule: rule_id })),
    // What lacks its rule is a finding of its own.
    ...answer.not_judged
      .filter(({ missing }) => missing === "deprecated")
      .map(({ line_id, rule_id }) => say("note_deprecated", { item: items.nameOf(line_id), rule: rule_id })),
    ...lackingOf(answer).map(([missing, lines]) => say("note_not_told", { missing: say(`missing_${missing}`), items: listed(lines.map((id) => items.nameOf(id))) })),
    ...(answer.to_check ?? []).map(({ line_id, text }) => say("note_to_check", { item: items.nameOf(line_id), text })),
    terms.length > 0 && say("note_terms", { terms: listed(terms) }),
    answer.knowledge.outdated && say("knowledge_outdated", answer.knowledge),
    items.pending.length > 0 && say("note_pending", { text: listed(items.pending) }),
    unknown > 0 && say("note_acknowledged", { count: unknown }),
    sale.isHolderUnknown && say("note_holder_unknown"),
    answer.not_restricted.length > 0 && say("note_not_restricted", { items: listed(answer.not_restricted.map(({ line_id }) => items.nameOf(line_id))) }),
    items.named.size > 0 && say("note_named", { items: listed([...items.named].map((id) => items.nameOf(id))) }),
    answer.ignored && say("note_ignored", { keys: listed(answer.ignored) }),
  ].filter(Boolean);
}

/** What was not told, each with the lines that were not judged without it. */
function lackingOf({ not_judged }) {
  const untold = not_judged.filter(({ missing }) => hasWords(`missing_${missing}`));
  return [...new Set(untold.map(({ missing }) => missing))].map((missing) => [
    missing,
    [...new Set(untold.filter((each) => each.missing === missing).map(({ line_id }) => line_id))],
  ]);
}

/** Shows the conclusion; the element is a live region, so that it is read out as it changes. */
export function showConclusion({ kind, detail }, ticket) {
  const [icon, colour] = markOf(kind);
  const place = byId("verdict");
  const said = [kind, detail, ticket, language()].join();
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  place.className = `verdict ${colour}`;
  place.dataset.kind = kind;
  place.replaceChildren(
    make("span", { class: "icon", "aria-hidden": "true" }, icon),
    make(
      "div",
      {},
      make("p", { class: "end" }, say(`conclusion_${kind}`)),
      detail ? make("p", {}, detail) : null,
      kind === "error" ? make("p", {}, say("explanation_error")) : null,
      ticket ? make("p", { class: "ticket" }, say("ticket", { ticket })) : null,
    ),
  );
}

/** Shows what has to be told beside the findings. */
export function showNotes({ answer, remembered }, sale) {
  const notes = answer ? notesOf(answer, sale, remembered) : [];
  byId("notes").replaceChildren(...notes.map((note) => make("li", {}, note)));
  show(byId("notes"), notes.length > 0);
}

/** Shows the cards, and what was dealt with. `act` are the page's answers to buttons: ownCard, selfPaid, remove (of a finding), decide (body). */
export function showFindings(state, sale, act) {
  const { answer, decisions, options, drafts, operator, remembered } = state;
  const findings = answer ? findingsOf(answer, remembered, sale.items.named) : [];
  const records = new Map(decisions.filter((each) => each.way === "continue").map((each) => [each.signature, each]));
  const reasons = options?.reasons ?? [];
  byId("findings").replaceChildren(
    ...findings.map((finding) => {
      const record = records.get(signature(finding));
      return findingCard(finding, {
        several: sale.items.rows.length > 1,
        continued: Boolean(record),
        inShop: sale.inShop,
        ways: record || !finding.rule_id || finding.verdict === "exempt" ? null : waysOf(finding, sale, act),
        decision: record ? doneLine(record, reasons) : formOf(finding),
      });
    }),
  );
  const changed = decisions.filter((each) => each.way !== "continue");
  byId("done").replaceChildren(...changed.map((each) => make("li", {}, `✓ ${each.item} · ${decisionWords(each, reasons)}`)));
  show(byId("done-part"), changed.length > 0);
  byId("counted").textContent = answer?.knowledge
    ? say("checked_lines", { lines: answer.checked_lines, version: answer.knowledge.version, time: sale.timeWords })
    : "";

  function formOf(finding) {
    if (!needsReason(finding) || !options) return null;
    const key = finding.finding_id;
    if (!drafts.has(key)) drafts.set(key, {});
    return decisionForm(finding, { options, operator, ownCard: sale.ownCard, draft: drafts.get(key), send: (body) => act.decide(finding, body) });
  }
}

const doneLine = (record, reasons) => make("p", { class: "done-line" }, `✓ ${decisionWords(record, reasons)}`);

function waysOf(finding, sale, act) {
  const { whom, ownCard } = sale;
  const told = make("p", { class: "fault", role: "alert" });
  const button = (key, action) => {
    const click = async () => {
      try {
        await action(finding);
      } catch (failure) {
        told.textContent = failure.message;
      }
    };
    return make("button", { type: "button", onclick: click }, say(key));
  };
  const child = whom === "child" || (whom === "self" && finding.rule_id.includes("child"));
  const own = say(child ? "way_own_child" : "way_own_other");
  const ways = [];
  if (!isOfPerson(finding)) {
    // Whose credential it is makes no difference to what the item is paid for.
  } else if (!ownCard) ways.push(way(own, say("way_own_say"), button("way_own_done", act.ownCard)));
  else if (whom === "self") ways.push(way(own, say("way_own_self")));
  if (kindOf(finding) !== "notice") {
    ways.push(way(say("way_self_paid"), say("way_self_paid_say"), button("way_self_paid_done", act.selfPaid)));
    ways.push(way(say("way_doctor"), say("way_doctor_say"), button("way_doctor_done", act.remove)));
  }
  const list = wayList(finding, ways, scriptWords(finding, { whom, ownCard }));
  list.append(told);
  return list;
}
