// The last word on a sale: by the gravest finding that is still open, and never green where something was not judged.

/** A finding's level, or its verdict where it has none. */
export const kindOf = (finding) => finding.level ?? finding.verdict;

const OPEN = ["definite", "suspect", "undetermined"];
const GRAVEST_FIRST = [...OPEN, "notice", "exempt"];

/** Findings, the gravest first. */
export const byGravity = (findings) =>
  [...findings].sort((one, other) => GRAVEST_FIRST.indexOf(kindOf(one)) - GRAVEST_FIRST.indexOf(kindOf(other)));

/** Whether somebody has to give a reason to go on. */
export const needsReason = (finding) => OPEN.includes(kindOf(finding));

/** What a decision on a finding holds for: the same finding of another person or level has to be decided anew. `about` is who was asked about. */
export const signature = (finding) => JSON.stringify([finding.finding_id, finding.verdict, finding.level, finding.point_id, finding.about]);

/**
 * The kind of the conclusion on an answer: a key of the words `conclusion_…`.
 * `continued` are the signatures of findings with a reason on record, `ownCard` whether the credential is the user's own,
 * `pending` whether something typed was not added.
 */
export function conclude(answer, { continued, ownCard, pending }) {
  if (answer.reviewed === false) return "not_reviewed";
  const kinds = new Set(answer.findings.filter((finding) => !continued.has(signature(finding))).map(kindOf));
  const grave = OPEN.find((kind) => kinds.has(kind));
  if (grave) return grave;
  // A verdict that no finding explains is never taken for a pass.
  const acknowledged = answer.acknowledged ?? [];
  const explained = answer.verdict === "clear" || answer.findings.length > 0 || acknowledged.length > 0;
  if (!explained) return "undetermined";
  if (answer.checked_lines === 0) return "nothing";
  if (pending || answer.not_in_force.length > 0 || answer.not_judged.length > 0) return "unjudged";
  if (!ownCard) return "own_card";
  const settled = answer.findings.some((finding) => continued.has(signature(finding))) || acknowledged.length > 0;
  if (settled) return "settled";
  if (kinds.has("notice")) return "notice";
  return kinds.has("exempt") ? "exempt" : "clear";
}

const MARKS = {
  definite: ["✖", "red"],
  suspect: ["▲", "yellow"],
  own_card: ["▲", "yellow"],
  notice: ["●", "blue"],
  settled: ["●", "blue"],
  unjudged: ["○", "blue"],
  nothing: ["○", "blue"],
  undetermined: ["?", "violet"],
  not_reviewed: ["?", "violet"],
  error: ["!", "grey"],
  idle: ["○", "grey"],
  checking: ["…", "grey"],
  exempt: ["✔", "green"],
  clear: ["✔", "green"],
};

/** Icon and colour of a kind; the words stand beside them always. */
export const markOf = (kind) => MARKS[kind];
