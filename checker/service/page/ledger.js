// The ledger page [红黄蓝台账]: every point in force today, filtered, sorted, printed, exported.

import { ask, prepareKeyDialog } from "./api.js";
import { markOf } from "./conclusion.js";
import { csvText, download } from "./csv.js";
import { byId, localTime, make, show } from "./dom.js";
import { language, languageSwitch, say } from "./words.js";

const LEVELS = ["definite", "suspect", "notice"];
const CODES_SHOWN = 3;
const TYPING_MS = 80;
/** How many rows are drawn at a time: thousands at once keep a browser busy for seconds, at every key that is pressed. */
const PAGE = 200;

const levelWords = (point) => `${markOf(point.level)[0]} ${say(`level_${point.level}`)}`;
const codesOf = (point) => point.codes.split("; ").filter(Boolean);
const place = new Intl.Collator("zh-CN", { numeric: true });

/** Columns: name, class of the cell, what is sorted by, what is shown, and what is exported where that is not what is shown. */
const COLUMNS = [
  { name: "level", sort: (point) => LEVELS.indexOf(point.level), words: levelWords },
  { name: "item", style: "wide", sort: (point) => point.item_name, words: (point) => point.item_name },
  { name: "rule", style: "middle", sort: (point) => point.rule_name, words: (point) => point.rule_name },
  { name: "limit", style: "middle", sort: (point) => point.limit, words: (point) => point.limit },
  { name: "subject", sort: (point) => point.subject, words: (point) => point.subject ?? "" },
  { name: "from", style: "day", sort: (point) => point.valid_from, words: (point) => point.valid_from },
  { name: "to", style: "day", sort: (point) => point.valid_to ?? "9999", words: (point) => point.valid_to ?? "" },
  { name: "codes", style: "wide", sort: (point) => point.codes, words: shownCodes, whole: (point) => point.codes },
  { name: "published", style: "number", sort: (point) => point.published_codes ?? 0, words: (point) => String(point.published_codes ?? "") },
  { name: "source", style: "wide", sort: (point) => point.source_rows, words: (point) => point.source_rows ?? point.batch ?? "" },
  { name: "point", style: "wide", sort: (point) => point.point_id, words: (point) => point.point_id },
];

const state = { points: [], shown: [], sorted: "level", down: false, version: "" };

function shownCodes(point) {
  const codes = codesOf(point);
  const more = codes.length > CODES_SHOWN ? [say("more_codes", { count: codes.length })] : [];
  return [...codes.slice(0, CODES_SHOWN), ...more].join("; ");
}

function rowOf(point) {
  const cells = COLUMNS.map(({ name, style, words }) => {
    const colour = name === "level" ? `level ${markOf(point.level)[1]}` : style;
    return make("td", { class: colour, "data-label": name === "level" || name === "item" ? null : say(`col_${name}`) }, words(point));
  });
  return make("tr", { "data-point": point.point_id }, cells);
}

const searched = (point) => [point.item_name, point.point_id, point.limit, point.codes, point.rule_name].join("\n").normalize("NFKC").toUpperCase();

/** Whether a point answers to what was typed; a full code finds the family that it begins with. */
function answers(point, text) {
  if (text === "" || point.searched.includes(text)) return true;
  return text.length > 11 && codesOf(point).some((code) => text.startsWith(code));
}

function filter() {
  const text = byId("filter").value.normalize("NFKC").trim().toUpperCase();
  const [rule, level] = [byId("rule").value, byId("level").value];
  state.shown = state.points.filter(
    (point) => (!rule || point.rule_id === rule) && (!level || point.level === level) && answers(point, text),
  );
  byId("count").textContent = say("count", { shown: state.shown.length, total: state.points.length });
  byId("rows").replaceChildren();
  drawMore();
}

/** Draws the next rows of what the filter leaves. */
function drawMore(count = PAGE) {
  const drawn = byId("rows").childElementCount;
  byId("rows").append(...state.shown.slice(drawn, drawn + count).map(rowOf));
  const left = state.shown.length - byId("rows").childElementCount;
  byId("more").textContent = say("more_rows", { more: Math.min(PAGE, left), left });
  show(byId("more"), left > 0);
}

function sort() {
  const { sort: value } = COLUMNS.find((column) => column.name === state.sorted);
  const turn = state.down ? -1 : 1;
  const compare = (one, other) => (typeof one === "number" ? one - other : place.compare(one ?? "", other ?? ""));
  const keyed = state.points.map((point) => [value(point), point]);
  keyed.sort(([one, a], [other, b]) => turn * compare(one, other) || place.compare(a.item_name, b.item_name));
  state.points = keyed.map(([, point]) => point);
  for (const head of document.querySelectorAll("th[data-column]")) {
    if (head.dataset.column === state.sorted) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function drawHead() {
  const click = (name) => () => {
    state.down = state.sorted === name && !state.down;
    state.sorted = name;
    sort();
    filter();
  };
  byId("head").replaceChildren(
    ...COLUMNS.map(({ name }) =>
      make("th", { scope: "col", "data-column": name }, make("button", { type: "button", onclick: click(name) }, say(`col_${name}`))),
    ),
  );
}

function drawChoices() {
  const fill = (select, options) => {
    const kept = select.value;
    select.replaceChildren(make("option", { value: "" }, say("all")), ...options.map(([value, words]) => make("option", { value }, words)));
    select.value = kept;
  };
  const rules = new Map(state.points.map((point) => [point.rule_id, point.rule_name]));
  fill(byId("rule"), [...rules].sort());
  fill(byId("level"), LEVELS.map((level) => [level, levelWords({ level })]));
}

function draw() {
  const documents = [...new Set(state.points.flatMap((point) => (point.document ?? "").split("；")).filter(Boolean))];
  byId("documents").replaceChildren(...documents.map((document) => make("li", {}, document)));
  show(byId("documents-part"), documents.length > 0);
  byId("version").textContent = state.version ? `${say("slip_knowledge")} ${state.version} · ${localTime().slice(0, 10)}` : "";
  drawHead();
  drawChoices();
  sort();
  filter();
}

function exportCsv() {
  const exported = [...COLUMNS, { name: "document", words: (point) => point.document }];
  const rows = state.shown.map((point) => exported.map(({ words, whole }) => (whole ?? words)(point)));
  download(`liangku-ledger-${localTime().slice(0, 10)}.csv`, csvText([exported.map(({ name }) => say(`col_${name}`)), ...rows]));
}

async function load() {
  const told = byId("told");
  show(byId("retry"), false);
  told.textContent = say("loading");
  try {
    const { points, knowledge } = await ask(`v1/ledger?lang=${language()}`);
    state.points = points.map((point) => ({ ...point, searched: searched(point) }));
    state.version = knowledge.version;
    draw();
    told.textContent = "";
  } catch (failure) {
    told.textContent = `${say("ledger_failed")} · ${failure.message}`;
    show(byId("retry"), true);
  }
  for (const id of ["export", "print"]) byId(id).disabled = state.points.length === 0;
}

let timer = null;
byId("filter").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(filter, TYPING_MS);
});
for (const id of ["rule", "level"]) byId(id).addEventListener("change", filter);
byId("export").addEventListener("click", exportCsv);
byId("print").addEventListener("click", () => window.print());
byId("more").addEventListener("click", () => drawMore());
// Paper has no button: it holds all that the filter leaves.
window.addEventListener("beforeprint", () => drawMore(state.shown.length));
byId("retry").addEventListener("click", load);
prepareKeyDialog();
// Rules and limits are worded by the server: they are asked for again.
languageSwitch(byId("language"), load);
load();
