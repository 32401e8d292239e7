// Whether what came back is an answer to what was asked: anything else is no answer, whatever it says.

import { AskFailed } from "./api.js";
import { say } from "./words.js";

const VERDICTS = ["violation", "undetermined", "clear"];
const OF_FINDINGS = ["violation", "undetermined", "exempt"];
const LEVELS = ["definite", "suspect", "notice"];

const isText = (value) => typeof value === "string";
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTextOrNull = (value) => value === null || isText(value);
const listOf = (value, is) => Array.isArray(value) && value.every(is);

function isFinding(finding, ids) {
  return (
    isObject(finding) &&
    isText(finding.finding_id) &&
    OF_FINDINGS.includes(finding.verdict) &&
    (finding.verdict === "violation" ? LEVELS.includes(finding.level) : finding.level === null) &&
    ids.has(finding.line_id) &&
    isText(finding.message) &&
    [finding.rule_id, finding.item_name, finding.item_code, finding.advice, finding.evidence, finding.reason_code].every(isTextOrNull) &&
    listOf(finding.remarks, isText)
  );
}

/** The worst verdict of findings. */
const worst = (findings) => VERDICTS.find((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? "clear";

/** Throws AskFailed where `answer` is none to a question about these lines. */
export function requireAnswer(answer, lines) {
  const ids = new Set(lines.map((line) => line.line_id));
  const ofLines = (list) => listOf(list, (each) => isObject(each) && ids.has(each.line_id));
  const whole =
    isObject(answer) &&
    VERDICTS.includes(answer.verdict) &&
    isObject(answer.knowledge) &&
    isText(answer.knowledge.version) &&
    listOf(answer.findings, (finding) => isFinding(finding, ids)) &&
    [answer.not_in_force, answer.not_judged, answer.not_restricted, answer.not_in_scope ?? [], answer.to_check ?? []].every(ofLines) &&
    (answer.to_check ?? []).every(({ text }) => isText(text)) &&
    listOf(answer.acknowledged, isText) &&
    typeof answer.reviewed === "boolean";
  if (!whole) throw new AskFailed(say("not_json"));
  if (!answer.reviewed) return;
  const asked = lines.filter((line) => line.paid_by_fund !== false).length;
  const agrees = answer.checked_lines === asked && answer.verdict === (asked === 0 ? "undetermined" : worst(answer.findings));
  // A line that was named by its code is not answered by a finding on another.
  const codes = new Map(lines.map((line) => [line.line_id, line.item_code]));
  const matches = answer.findings.every((finding) => !codes.get(finding.line_id) || finding.item_code === codes.get(finding.line_id));
  if (!agrees || !matches) throw new AskFailed(say("other_answer"));
}

/** Throws AskFailed where `found` is no list of points for this text. */
export function requirePoints(found, text) {
  const isPoint = (point) => isObject(point) && isText(point.item_name) && isText(point.rule_name) && isText(point.limit) && typeof point.in_force === "boolean";
  if (!isObject(found) || found.q !== text || !Number.isInteger(found.total) || !listOf(found.items, isPoint) || !listOf(found.nearest, isText)) {
    throw new AskFailed(say("not_json"));
  }
  return found;
}

/** Throws AskFailed where `link` is none. */
export function requireLink(link) {
  const fields = isObject(link) && [link.item_code, link.item_name, link.operator].every(isTextOrNull) && isText(link.kind) && isText(link.key);
  if (!fields || !Number.isInteger(link.id) || typeof link.restricted_name !== "boolean" || !(link.item_code || link.item_name)) {
    throw new AskFailed(say("not_json"));
  }
  return link;
}
