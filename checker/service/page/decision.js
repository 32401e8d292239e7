// Going on in spite of a finding: a coded reason, words where it asks for them, the operator, and a second one for red findings.

import { kindOf } from "./conclusion.js";
import { make, show } from "./dom.js";
import { limitWords } from "./finding.js";
import { watch } from "./identify.js";
import { language, say } from "./words.js";

/** The words of a reason code. */
export function reasonWords(reasons, code) {
  const reason = reasons.find((each) => each.code === code);
  return reason ? reason[language()] : code;
}

/** The reasons that fit what the finding judges: a person, or the terms on which its line is paid. */
function offeredReasons(finding, options) {
  const judged = options.judges?.[finding.rule_id] ?? "person";
  return options.reasons.filter((each) => !each.judges || each.judges === judged);
}

/** As the server compares names of staff: width, case, spaces and invisible signs make no other person. */
const personKey = (name) => name.normalize("NFKC").toLowerCase().normalize("NFKC").replace(/[\p{C}\p{Z}]/gu, "");

/** What is wrong with a decision before it is sent: a key of the words, or null. */
function faultOf(body, { needsSecond, needsPin }) {
  if (!body.reason_code) return "need_reason";
  if (body.reason_code === "other" && !body.reason) return "need_text";
  if (!body.operator) return "need_operator";
  // Paid privately it goes on against no rule.
  if (!needsSecond || body.reason_code === "self_paid") return null;
  if (!body.second_operator || personKey(body.second_operator) === personKey(body.operator)) return "need_second";
  return needsPin && !body.second_pin ? "need_pin" : null;
}

const FAULTY_FIELD = { need_reason: "reason", need_text: "text", need_operator: "operator", need_second: "second", need_pin: "pin" };

/** Whether a reason says the contrary of what is known here: then it is asked once more. */
function contradicts(finding, reason, ownCard) {
  if (reason === "verified_person") return finding.verdict === "violation" && finding.actual !== null;
  return reason === "relative_use" && !ownCard;
}

/**
 * The form of one finding. `options` are those of the server, `operator` whoever decided last, `draft` what was typed before the
 * page was drawn anew; `send(body)` records the decision and throws where the server does not take it.
 */
export function decisionForm(finding, { options, operator, ownCard, draft, send }) {
  const reasons = offeredReasons(finding, options);
  const id = (name) => `${name}-${finding.finding_id}`;
  const needsSecond = Boolean(options.two_person) && kindOf(finding) === "definite";
  const needsPin = needsSecond && Boolean(options.staff);
  const text = (name, label, attributes) => {
    const keep = () => (draft[name] = input.value);
    const input = make("input", { id: id(name), type: "text", autocomplete: "off", maxlength: 500, oninput: keep, ...attributes });
    input.value = draft[name] ?? "";
    // The number of a person is no name of staff and no reason: it is cleared, and not sent.
    watch(input, { found: () => (told.textContent = say("operator_personal")), changed: () => {} });
    return [make("label", { for: id(name) }, label), input];
  };
  const reason = make(
    "select",
    { id: id("reason"), required: true },
    make("option", { value: "" }, say("reason_choose")),
    // The number chooses it: by the keyboard it takes three keys.
    reasons.map((each, place) => make("option", { value: each.code }, `${place + 1} ${each[language()]}`)),
  );
  reason.value = draft.reason ?? "";
  draft.operator ??= operator;
  const told = make("p", { class: "fault", role: "alert", id: id("told") });
  const [wordsLabel, words] = text("text", say("reason_text"), {});
  const [operatorLabel, operatorField] = text("operator", say("operator"), { maxlength: 64, required: true });
  const [secondLabel, second] = text("second", say("second_operator"), { maxlength: 64, required: true });
  // Not kept while the page is drawn anew, and by no browser.
  const pin = make("input", { id: id("pin"), type: "password", autocomplete: "new-password", maxlength: 64, required: true });
  const fields = { reason, text: words, operator: operatorField, second, pin };
  let asked = null;
  const otherChosen = () => {
    draft.reason = reason.value;
    const must = reason.value === "other";
    wordsLabel.textContent = say(must ? "reason_text_must" : "reason_text");
    words.toggleAttribute("required", must);
  };
  reason.addEventListener("change", otherChosen);
  reason.addEventListener("keydown", (event) => {
    const number = Number(event.key);
    if (number >= 1 && number <= reasons.length) {
      event.preventDefault();
      reason.value = reasons[number - 1].code;
      otherChosen();
    } else if (event.key === "Enter") {
      event.preventDefault();
      reason.form.requestSubmit();
    }
  });
  otherChosen();
  const button = make("button", { type: "submit" }, say("decide_go"));
  const submit = async (event) => {
    event.preventDefault();
    const body = { finding_id: finding.finding_id, decision: "continue", reason_code: reason.value, operator: operatorField.value.trim() };
    if (words.value.trim()) body.reason = words.value.trim();
    if (needsSecond && second.value.trim()) body.second_operator = second.value.trim();
    if (needsPin && pin.value) body.second_pin = pin.value;
    const fault = faultOf(body, { needsSecond, needsPin });
    for (const [name, each] of Object.entries(fields)) each.setAttribute("aria-invalid", String(fault !== null && FAULTY_FIELD[fault] === name));
    told.textContent = fault ? say(fault) : "";
    if (fault) {
      fields[FAULTY_FIELD[fault]].focus();
      return;
    }
    if (contradicts(finding, body.reason_code, ownCard) && asked !== body.reason_code) {
      asked = body.reason_code;
      told.textContent = say(`contradicts_${body.reason_code}`, { actual: finding.actual, expected: limitWords(finding.expected ?? "") });
      return;
    }
    button.disabled = true;
    try {
      await send(body);
    } catch (failure) {
      told.textContent = failure.message;
      pin.value = "";
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
      needsPin ? pair(make("label", { for: id("pin") }, say("second_pin")), pin) : null,
      told,
      button,
    ),
  );
  details.open = Boolean(draft.open);
  details.addEventListener("toggle", () => (draft.open = details.open));
  show(details, reasons.length > 0);
  return details;
}

/** What was decided, in one line. */
export function decisionWords(decision, reasons) {
  const people = [decision.operator, decision.second_operator].filter(Boolean).join(" / ");
  const reason = decision.reason_code ? reasonWords(reasons, decision.reason_code) : null;
  return [say(`done_${decision.way}`), reason, decision.reason, people].filter(Boolean).join(" · ");
}
