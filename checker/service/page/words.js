// The texts of the pages in Chinese and English, and the switch between the two. What is said of findings is the server's: it lies in the page.

import { ASKING } from "./asking.js";
import { shown } from "./shown.js";
import { TELLING } from "./telling.js";

const KEPT = "liangku.language";

const WORDS = { ...ASKING, ...TELLING };

// The server's catalogue by kind and code: `remark_duplicate` and the like.
for (const [kind, words] of Object.entries(JSON.parse(document.getElementById("catalogue").textContent))) {
  for (const [code, { zh, en }] of Object.entries(words)) WORDS[`${kind}_${code}`] = [zh, en];
}

let english = localStorage.getItem(KEPT) === "en";

/** The language of the page: "zh" or "en". */
export const language = () => (english ? "en" : "zh");

/** A text in the language of the page, its {places} filled. */
export function say(key, values = {}) {
  return WORDS[key][Number(english)].replace(/\{(\w+)\}/g, (_, name) => shown(values[name] ?? ""));
}

/** Whether there is a text of this name. */
export const hasWords = (key) => Object.hasOwn(WORDS, key);

/** Several things in a row, as the language writes them. */
export const listed = (texts) => texts.join(english ? ", " : "、");

/** Puts the words of the language into every element that names one, and the language into the document. */
export function applyWords(root = document) {
  document.documentElement.lang = english ? "en" : "zh-CN";
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-hint]")) node.placeholder = say(node.dataset.sayHint);
  for (const node of root.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
}

/** Makes a button switch the language; `changed` is called after the static texts have changed. */
export function languageSwitch(button, changed) {
  const show = () => {
    applyWords();
    button.textContent = say("switch");
    button.lang = english ? "zh-CN" : "en";
  };
  button.addEventListener("click", () => {
    english = !english;
    localStorage.setItem(KEPT, english ? "en" : "zh");
    show();
    changed();
  });
  show();
}
