// Going on in spite of a finding: a coded reason, words where it asks for them, the operator, and a second one for red findings.

import { kindOf } from "./conclusion.js";
import { make, show } from "./dom.js";
import { language, say } from "./words.js";

/** The words of a reason code. */
export function reasonWords(reasons, code) {
  const reason = reasons.find((each) => each.code === code);
  return reason ? reason[language()] : code;
}

/** What is wrong with a decision before it is sent: a key of the words, or null. */
function faultOf(body, needsSecond) {
  if (!body.reason_code) return "need_reason";
  if (body.reason_code === "other" && !body.reason) return "need_text";
  if (!body.operator) return "need_operator";
  if (needsSecond && (!body.second_operator || body.second_operator === body.operator)) return "need_second";
  return null;
}

const FAULTY_FIELD = { need_reason: "reason", need_text: "text", need_operator: "operator", need_second: "second" };

/**
 * The form of one finding. `options` are those of the server, `operator` whoever decided last, `draft` what was typed before the
 * page was drawn anew; `send(body)` records the decision and throws where the server does not take it.
 */
export function decisionForm(finding, { options, operator, draft, send }) {
  const id = (name) => `${name}-${finding.finding_id}`;
  const needsSecond = Boolean(options.two_person) && kindOf(finding) === "definite";
  const text = (name, label, attributes) => {
    const input = make("input", { id: id(name), type: "text", autocomplete: "off", maxlength: 500, oninput: () => (draft[name] = input.value), ...attributes });
    input.value = draft[name] ?? "";
    return [make("label", { for: id(name) }, label), input];
  };
  const reason = make(
    "select",
    { id: id("reason"), required: true },
    make("option", { value: "" }, say("reason_choose")),
    options.reasons.map((each) => make("option", { value: each.code }, each[language()])),
  );
  reason.value = draft.reason ?? "";
  draft.operator ??= operator;
  const [wordsLabel, words] = text("text", say("reason_text"), {});
  const [operatorLabel, operatorField] = text("operator", say("operator"), { maxlength: 64, required: true });
  const [secondLabel, second] = text("second", say("second_operator"), { maxlength: 64, required: true });
  const told = make("p", { class: "fault", role: "alert", id: id("told") });
  const fields = { reason, text: words, operator: operatorField, second };
  const otherChosen = () => {
    draft.reason = reason.value;
    const must = reason.value === "other";
    wordsLabel.textContent = say(must ? "reason_text_must" : "reason_text");
    words.toggleAttribute("required", must);
  };
  reason.addEventListener("change", otherChosen);
  otherChosen();
  const button = make("button", { type: "submit" }, say("decide_go"));
  const submit = async (event) => {
    event.preventDefault();
    const body = { finding_id: finding.finding_id, decision: "continue", reason_code: reason.value, operator: operatorField.value.trim() };
    if (words.value.trim()) body.reason = words.value.trim();
    if (needsSecond) body.second_operator = second.value.trim();
    const fault = faultOf(body, needsSecond);
    for (const [name, each] of Object.entries(fields)) each.setAttribute("aria-invalid", String(fault !== null && FAULTY_FIELD[fault] === name));
    told.textContent = fault ? say(fault) : "";
    if (fault) {
      fields[FAULTY_FIELD[fault]].focus();
      return;
    }
    button.disabled = true;
    try {
      await send(body);
    } catch (failure) {
      told.textContent = failure.message;
      button.disabled = false;
    }
  };
  const pair = (label, input) => make("div", { class: "pair" }, label, input);
  const details = make(
    "details",
    { class: "decide" },
    make("summary", {}, say("decide")),
    make(
      "form",
      { novalidate: true, onsubmit: submit, "aria-label": say("decide") },
      needsSecond ? make("p", { class: "hint" }, say("two_person")) : null,
      pair(make("label", { for: id("reason") }, say("reason")), reason),
      pair(wordsLabel, words),
      pair(operatorLabel, operatorField),
      needsSecond ? pair(secondLabel, second) : null,
      told,
      button,
    ),
  );
  details.open = Boolean(draft.open);
  details.addEventListener("toggle", () => (draft.open = details.open));
  show(details, options.reasons.length > 0);
  return details;
}

/** What was decided, in one line. */
export function decisionWords(decision, reasons) {
  const people = [decision.operator, decision.second_operator].filter(Boolean).join(" / ");
  const reason = decision.reason_code ? reasonWords(reasons, decision.reason_code) : null;
  return [say(`done_${decision.way}`), reason, decision.reason, people].filter(Boolean).join(" · ");
}
