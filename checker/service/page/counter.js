// The counter page: asks whom it is for, who that is and what is sold; checks at once; records what was decided.

import { requireAnswer } from "./answer.js";
import { ask, AskFailed, prepareKeyDialog } from "./api.js";
import { signature } from "./conclusion.js";
import { byId, show } from "./dom.js";
import { conclusionOf, findingsOf, lightsOf, notesOf, showConclusion, showFindings, showNotes } from "./result.js";
import { Sale } from "./sale.js";
import { catchScans } from "./scanner.js";
import { fillSlip } from "./slip.js";
import { language, languageSwitch, say } from "./words.js";

const TYPING_MS = 250;

const fresh = () => ({ answer: null, failure: null, checking: false, missing: null, decisions: [], drafts: new Map(), remembered: new Map() });
const state = { ...fresh(), options: null, operator: "" };
let asked = null;
let timer = null;
/** Whether a check was asked for with the person unknown, while items were still looked up. */
let anyway = false;
const sale = new Sale((soon) => changed(soon));

/** A change makes what stands there untrue at once; the new answer follows where there is enough to ask. */
function changed(soon) {
  sale.forgetTimeIfEmpty();
  clearTimeout(timer);
  asked?.abort();
  const missing = sale.missing(anyway);
  const ready = missing === null && !sale.items.isLooking;
  anyway &&= sale.items.isLooking;
  Object.assign(state, { answer: null, failure: null, missing, checking: ready });
  draw();
  if (ready) timer = setTimeout(check, soon ? TYPING_MS : 0);
}

/** Checks what is there, the person known or not. */
async function checkAnyway() {
  clearTimeout(timer);
  const missing = sale.missing(true);
  // What is being looked up is checked when it is known.
  anyway = sale.items.isLooking;
  if (missing === null && !anyway) return check();
  Object.assign(state, { answer: null, failure: null, missing, checking: false });
  draw();
}

async function check() {
  asked?.abort();
  const { signal } = (asked = new AbortController());
  Object.assign(state, { answer: null, failure: null, missing: null, checking: true });
  draw();
  try {
    let [body, answer] = [];
    do {
      body = sale.prescription();
      [answer] = await Promise.all([ask(`v1/check?lang=${language()}`, { body, signal }), loadOptions()]);
      if (signal.aborted) return;
      requireAnswer(answer, body.lines);
      // What it lacks and this counter knows already is nothing to ask: it is told at once.
    } while (sale.terms.take(answer, body));
    state.answer = answer;
    const about = JSON.stringify([body.patient, body.insured]);
    for (const finding of answer.findings) state.remembered.set(finding.finding_id, Object.assign(finding, { about }));
  } catch (failure) {
    if (signal.aborted) return;
    state.failure = failure instanceof AskFailed ? failure.message : say("not_json");
  }
  state.checking = false;
  draw();
}

/** The reasons to choose from; without them nothing can be decided, but everything can be checked. */
async function loadOptions() {
  if (state.options) return;
  try {
    state.options = (await ask("v1/knowledge")).options;
  } catch {
    state.options = null;
  }
}

function drawHead() {
  showConclusion(conclusionOf(state, sale, state.decisions), state.answer?.ticket);
  showNotes(state, sale);
  sale.terms.draw((id) => sale.items.nameOf(id));
  sale.items.showLights(lightsOf(state, sale));
}

function draw() {
  drawHead();
  showFindings(state, sale, act);
  show(byId("retry"), Boolean(state.failure) || state.answer?.reviewed === false);
  show(byId("print"), Boolean(state.answer));
}

/** Sends a decision; AskFailed where the server did not take it. */
async function record(finding, body, how) {
  const { unknown = [] } = await ask("v1/feedback", { body });
  if (unknown.includes(finding.finding_id)) throw new AskFailed(say("feedback_unknown"));
  const { second_pin, ...kept } = body;
  state.decisions = [...state.decisions, { ...kept, way: how, signature: signature(finding), item: finding.item_name ?? finding.item_code }];
}

/** Records that the sale was changed because of a finding, changes it, and checks anew. */
async function change(finding, how, changing) {
  const operator = state.drafts.get(finding.finding_id)?.operator || state.operator;
  await record(finding, { finding_id: finding.finding_id, decision: "change", ...(operator && { operator }) }, how);
  changing();
  byId("verdict").focus();
  changed(false);
}

const act = {
  ownCard: (finding) => change(finding, "own_card", () => sale.useOwnCard()),
  selfPaid: (finding) => change(finding, "self_paid", () => sale.items.makeSelfPaid(finding.line_id)),
  remove: (finding) => change(finding, "removed", () => sale.items.remove(finding.line_id)),
  async decide(finding, body) {
    state.operator = body.operator;
    if (body.reason_code === "self_paid") {
      // Said is done: the line is self-paid from here on, and nobody goes on against a rule.
      const { second_operator, second_pin, ...alone } = body;
      await record(finding, { ...alone, decision: "change" }, "self_paid");
      sale.items.makeSelfPaid(finding.line_id);
      byId("verdict").focus();
      changed(false);
      return;
    }
    await record(finding, body, "continue");
    draw();
    byId("verdict").focus();
  },
};

function newSale() {
  clearTimeout(timer);
  asked?.abort();
  anyway = false;
  sale.clear();
  Object.assign(state, fresh());
  draw();
  document.querySelector('input[name="whom"]').focus();
}

function prepareSlip() {
  const { answer, decisions, remembered, options } = state;
  if (!answer) {
    byId("slip").replaceChildren();
    return;
  }
  const { kind, detail } = conclusionOf(state, sale, decisions);
  fillSlip(byId("slip"), {
    kind, detail, decisions,
    rows: sale.items.rows.filter((row) => row.state === "ready").map((row) => ({ row, light: lightsOf(state, sale)(row) })),
    person: sale.personWords,
    inShop: sale.inShop,
    shop: options?.shop,
    findings: findingsOf(answer, remembered, sale.items.named),
    reasons: options?.reasons ?? [],
    notes: [...notesOf(answer, sale, remembered), ...(answer.ticket ? [say("ticket", { ticket: answer.ticket })] : [])],
    time: sale.timeWords,
    knowledge: answer.knowledge?.version,
  });
}

/** Opens the reasons of the gravest finding that is still open. */
function override() {
  const form = document.querySelector("details.decide");
  if (!form) return;
  form.open = true;
  form.querySelector("select").focus();
}

const SHORTCUTS = {
  KeyK: () => sale.items.confirmLink(),
  KeyO: override,
  KeyN: newSale,
  KeyI: () => byId("item").focus(),
  KeyC: checkAnyway,
  KeyP: () => byId("print").click(),
};

document.addEventListener("keydown", (event) => {
  const action = event.altKey && !event.ctrlKey && !event.metaKey ? SHORTCUTS[event.code] : undefined;
  if (!action || byId("key-dialog").open) return;
  event.preventDefault();
  action();
});
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  checkAnyway();
});
// What is typed and not added is told at once; the cards stay, so that no button moves away under a finger.
byId("item").addEventListener("input", () => state.answer && drawHead());
byId("retry").addEventListener("click", checkAnyway);
byId("new").addEventListener("click", newSale);
byId("print").addEventListener("click", () => {
  prepareSlip();
  window.print();
});
// Printed by the browser's own menu, it is the same slip.
window.addEventListener("beforeprint", prepareSlip);
prepareKeyDialog();
catchScans({ enter: (text) => sale.items.enter(text), isBusy: () => byId("key-dialog").open });
languageSwitch(byId("language"), () => {
  sale.showWords();
  // Findings are worded by the server: they are asked for again.
  if (state.answer || state.failure || state.checking) checkAnyway();
  else draw();
});
newSale();
