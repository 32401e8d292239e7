// Making elements: text is always text, so that nothing that came from outside is read as markup.

import { shown } from "./shown.js";

/** An element with attributes, listeners (onclick …) and children; null and false are left out. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  const said = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...said.map((child) => (child instanceof Node ? child : shown(child))));
  return node;
}

/** The element with an id, which the page must have. */
export const byId = (id) => document.getElementById(id);

/** Shows or hides an element. */
export const show = (node, shown) => {
  node.hidden = !shown;
};

/** What a radio group has chosen, or null. */
export const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value ?? null;

/** Chooses within a radio group; null chooses nothing. */
export function choose(name, value) {
  for (const radio of document.querySelectorAll(`input[name="${name}"]`)) radio.checked = radio.value === value;
}

/** The time of the desk as ISO text to the millisecond, without offset. */
export function localTime(now = new Date()) {
  return new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 23);
}
