"use strict";
/* The findings in the page: filtered, listed, and each shown with all of its visit. Everything from the data is set as text. */
(() => {
  const byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("words").textContent);
  const text = words.text;
  const STEP = 50;
  let columns = {};
  let order = [];
  let shown = 0;
  let drill = {};

  const element = (tag, content, attributes = {}) => {
    const made = document.createElement(tag);
    if (content !== null && content !== undefined) made.textContent = content;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  async function unpack() {
    const bytes = Uint8Array.from(atob(byId("data").textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const value = (name, row) => columns[name].values[columns[name].index[row]];
  const month = (row) => (value("service_time", row) || "").slice(0, 7);
  const of = (name, row) => (name === "month" ? month(row) : value(name, row));

  function said(name, row) {
    const it = value(name, row);
    if (it === null) return "";
    if (words.kinds[name] === "yuan") return it.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return String(it);
  }

  function choices(name) {
    const found = new Set();
    if (name === "month") order.forEach((row) => found.add(month(row)));
    else columns[name].values.forEach((it) => found.add(it));
    return [...found].filter((it) => it !== null && it !== "").sort();
  }

  function drawFilters() {
    const form = byId("filters");
    for (const filter of words.filters) {
      const label = element("label", filter.said);
      const select = element("select", null, { name: filter.name });
      select.append(element("option", text.all, { value: "" }));
      choices(filter.name).forEach((it) => select.append(element("option", it, { value: it })));
      label.append(select);
      form.append(label);
    }
    const label = element("label", text.search);
    label.append(element("input", null, { name: "search", type: "search" }));
    form.append(label);
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("undo").addEventListener("click", () => { drill = {}; apply(); byId("filters").elements[0].focus(); });
    document.querySelectorAll("[data-drill]").forEach((button) => button.addEventListener("click", () => {
      drill = JSON.parse(button.dataset.drill);
      form.reset();
      apply();
      byId("findings").scrollIntoView();
      byId("undo").focus({ preventScroll: true });
    }));
  }

  function apply() {
    const form = byId("filters");
    const wanted = words.filters.map((filter) => [filter.name, form.elements[filter.name].value]).filter(([, it]) => it !== "").concat(Object.entries(drill));
    const search = form.elements.search.value.trim().toLowerCase();
    const hits = {};
    if (search) {
      for (const [name, column] of Object.entries(columns)) {
        hits[name] = new Set(column.values.flatMap((it, place) => (it !== null && String(it).toLowerCase().includes(search) ? [place] : [])));
      }
    }
    const count = columns.verdict.index.length;
    order = [];
    for (let row = 0; row < count; row += 1) {
      if (!wanted.every(([name, it]) => of(name, row) === it)) continue;
      if (search && !Object.keys(hits).some((name) => hits[name].has(columns[name].index[row]))) continue;
      order.push(row);
    }
    byId("list").tBodies[0].replaceChildren();
    const chosen = wanted.map(([name, it]) => `${words.said[name]} ${it ?? text.empty}`);
    if (search) chosen.push(`${text.search} ${search}`);
    byId("listed").dataset.chosen = chosen.length ? `${text.chosen}: ${chosen.join(" · ")}. ` : "";
    byId("undo").hidden = Object.keys(drill).length === 0;
    shown = 0;
    more();
    const verdicts = columns.verdict.values;
    const violations = order.filter((row) => verdicts[columns.verdict.index[row]] === words.violation);
    const stake = violations.reduce((sum, row) => sum + (value("amount_at_stake", row) || 0), 0);
    const yuan = stake.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const told = text.of_which.replace("{violations}", violations.length.toLocaleString()).replace("{undetermined}", (order.length - violations.length).toLocaleString());
    byId("count").textContent = order.length ? `${order.length.toLocaleString()} ${text.lines}${told} · ${yuan} ${text.stake_each}` : text.none;
  }

  function more() {
    const body = byId("list").tBodies[0];
    for (const row of order.slice(shown, shown + STEP)) {
      const line = element("tr");
      for (const name of words.listed) line.append(element("td", said(name, row), words.kinds[name] === "yuan" ? { class: "n" } : {}));
      const cell = element("td");
      const button = element("button", text.open, { type: "button", "aria-label": `${text.open} ${said("item_name", row)} ${said("service_time", row)}` });
      button.addEventListener("click", () => openVisit(row));
      cell.append(button);
      line.append(cell);
      body.append(line);
    }
    shown = Math.min(shown + STEP, order.length);
    byId("listed").textContent = byId("listed").dataset.chosen + text.listed.replace("{shown}", shown.toLocaleString()).replace("{of}", order.length.toLocaleString());
    byId("more").hidden = shown >= order.length;
  }

  /* A visit is told by its number and by its settlements: lines that lack one of them are found by the other. */
  function ofVisit(row) {
    const institution = value("institution_id", row);
    const same = columns.verdict.index.map((_, place) => place).filter((place) => value("institution_id", place) === institution);
    const keys = ["visit_id", "settlement_id"];
    const known = keys.map((name) => new Set([value(name, row)].filter((it) => it !== null)));
    for (let before = -1; before !== known[0].size + known[1].size;) {
      before = known[0].size + known[1].size;
      for (const place of same) {
        if (!keys.some((name, at) => known[at].has(value(name, place)))) continue;
        keys.forEach((name, at) => { if (value(name, place) !== null) known[at].add(value(name, place)); });
      }
    }
    return same.filter((place) => place === row || keys.some((name, at) => known[at].has(value(name, place))));
  }

  function openVisit(row) {
    const body = byId("visit-body");
    body.replaceChildren();
    const rows = ofVisit(row);
    const facts = ["institution_name", "visit_id", "settlement_id", "settlement_amount", "diagnoses", "diagnosis_names", "patient_id", "person_hash", "person_sex", "person_age"];
    body.append(list(facts.filter((name) => name in columns), row));
    if (value("visit_id", row) === null && value("settlement_id", row) === null) body.append(element("p", text.not_a_visit, { class: "note" }));
    body.append(element("p", text.visit_is, { class: "note" }));
    if (words.cut) body.append(element("p", text.visit_cut, { class: "note" }));
    for (const place of rows) {
      const article = element("article");
      article.append(element("h3", `${said("item_name", place)} ${said("item_code", place)}`));
      article.append(list(["verdict", "level", "class", "service_time", "department", "prescriber", "local_item_name", "quantity", "amount_at_stake", "rule_name", "expected", "actual", "reason", "advice", "evidence", "line_id", "cluster_id"], place));
      body.append(article);
    }
    byId("visit").showModal();
  }

  function list(names, row) {
    const made = element("dl");
    for (const name of names) {
      const it = said(name, row);
      if (it === "") continue;
      const pair = element("div");
      pair.append(element("dt", words.columns[name]), element("dd", it));
      made.append(pair);
    }
    return made;
  }

  async function start() {
    for (const column of await unpack()) columns[column.name] = column;
    order = columns.verdict.index.map((_, place) => place);
    const head = element("tr");
    for (const name of words.listed) head.append(element("th", words.columns[name], { scope: "col" }));
    head.append(element("th", text.open, { scope: "col" }));
    byId("list").tHead.append(head);
    byId("more").addEventListener("click", more);
    drawFilters();
    apply();
  }

  start().catch(() => { byId("count").textContent = text.unread; });
})();
