// The last word on a sale: by the gravest finding that is still open, and never green where something was not judged.

/** A finding's level, or its verdict where it has none. */
export const kindOf = (finding) => finding.level ?? finding.verdict;

const OPEN = ["definite", "suspect", "undetermined"];
const GRAVEST_FIRST = [...OPEN, "notice", "exempt"];

/** Findings, the gravest first. */
export const byGravity = (findings) =>
  [...findings].sort((one, other) => GRAVEST_FIRST.indexOf(kindOf(one)) - GRAVEST_FIRST.indexOf(kindOf(other)));

/** Whether it says no more than that a line has no code, and somebody has said that this is no restricted item. */
const isNamed = (finding, named) => finding.reason_code === "unknown_code" && finding.rule_id === null && named.has(finding.line_id);

/** The findings of an answer that speak of an item's limits: not those on lines that were entered by name as no restricted items. */
export const speaking = (findings, named) => findings.filter((finding) => !isNamed(finding, named));

/** Whether somebody has to give a reason to go on. */
export const needsReason = (finding) => OPEN.includes(kindOf(finding));

/** What a decision on a finding holds for: the same finding of another person or level has to be decided anew. `about` is who was asked about. */
export const signature = (finding) => JSON.stringify([finding.finding_id, finding.verdict, finding.level, finding.point_id, finding.about]);

/**
 * The kind of the conclusion on an answer: a key of the words `conclusion_…`.
 * `continued` are the signatures of findings with a reason on record, `ownCard` whether the credential is the user's own, `pending` whether
 * something entered is not judged yet, `named` the lines entered by name as no restricted items.
 */
export function conclude(answer, { continued, ownCard, pending, named }) {
  if (answer.reviewed === false) return "not_reviewed";
  const findings = speaking(answer.findings, named);
  const kinds = new Set(findings.filter((finding) => !continued.has(signature(finding))).map(kindOf));
  const grave = OPEN.find((kind) => kinds.has(kind));
  if (grave) return grave;
  // That no line was to be judged, `requireAnswer` has made sure of.
  if (answer.checked_lines === 0) return "nothing";
  // A verdict that no finding explains is never taken for a pass.
  const acknowledged = answer.acknowledged ?? [];
  const explained = answer.verdict === "clear" || answer.findings.length > 0 || acknowledged.length > 0;
  if (!explained) return "undetermined";
  if (pending || answer.not_in_force.length > 0 || answer.not_judged.length > 0) return "unjudged";
  if (!ownCard) return "own_card";
  const settled = findings.some((finding) => continued.has(signature(finding))) || acknowledged.length > 0;
  if (settled) return "settled";
  const free = answer.not_restricted.length;
  if (kinds.has("notice")) return free + named.size > 0 ? "notice_partly" : "notice";
  if (named.size > 0) return named.size + free === answer.checked_lines ? "not_restricted" : "named";
  if (free > 0) return free === answer.checked_lines ? "not_restricted" : "partly_restricted";
  return kinds.has("exempt") ? "exempt" : "clear";
}

/** The key of the light beside a line: what became of it in an answer. */
export function lightOf(answer, line, { continued, named, isSelfPaid, acknowledged, ownCard }) {
  if (isSelfPaid) return "self_paid";
  if (!answer || answer.reviewed === false) return "waiting";
  const of = (list) => list.some((each) => each.line_id === line);
  const own = speaking(answer.findings, named).filter((finding) => finding.line_id === line);
  const open = own.filter((finding) => !continued.has(signature(finding)));
  const gravest = GRAVEST_FIRST.find((kind) => open.some((finding) => kindOf(finding) === kind));
  if (gravest && gravest !== "exempt") return { definite: "violation", suspect: "confirm" }[gravest] ?? gravest;
  if (own.length > open.length || acknowledged.has(line)) return "settled";
  // What was acknowledged before this page was opened may be of any line.
  if (acknowledged.has(undefined)) return "settled";
  if (of(answer.not_in_force) || of(answer.not_judged)) return "unjudged";
  if (named.has(line)) return "named";
  if (of(answer.not_restricted)) return "not_restricted";
  return ownCard ? "nothing" : "own_card";
}

const MARKS = {
  definite: ["✖", "red"],
  suspect: ["▲", "yellow"],
  own_card: ["▲", "yellow"],
  notice: ["●", "blue"],
  settled: ["●", "blue"],
  notice_partly: ["●", "blue"],
  unjudged: ["○", "blue"],
  not_restricted: ["○", "blue"],
  named: ["○", "blue"],
  nothing: ["○", "blue"],
  undetermined: ["?", "violet"],
  not_reviewed: ["?", "violet"],
  error: ["!", "grey"],
  idle: ["○", "grey"],
  checking: ["…", "grey"],
  exempt: ["✔", "green"],
  partly_restricted: ["✔", "green"],
  clear: ["✔", "green"],
};

/** Icon and colour of a kind; the words stand beside them always. */
export const markOf = (kind) => MARKS[kind];
