// A table as CSV for spreadsheets: UTF-8 with byte order mark, and no cell that a spreadsheet would run as a formula.

import { isFormula, shown } from "./shown.js";

function cell(value) {
  const text = String(value ?? "");
  const safe = isFormula(text) ? `'${shown(text)}` : shown(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text of rows of cells. */
export const csvText = (rows) => `\ufeff${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;

/** Hands a text to the browser as a file. */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
