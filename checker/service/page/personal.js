// Numbers of persons: told apart on this machine, read for sex and birth date where they say so, and never sent, kept or printed.

import { iso, today } from "./dates.js";

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = "10X98765432";
/** Provinces as the first two digits say them; 9 begins the new card of a foreigner with permanent residence. */
const PLACE = /^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9)/;

/** What may part an ID number: blanks, and signs that a keyboard has. */
const PART = "[\\s\\-_./·—–‑，,：:、年月日号\\u200b]{0,3}";
const PARTED = new RegExp(`(?<![0-9.])[0-9]{6}${PART}(?:19|20)[0-9]{2}${PART}[01][0-9]${PART}[0-3][0-9]${PART}[0-9]{3}[0-9X](?![0-9])`);

const compact = (text) => text.normalize("NFKC").replace(/[\s\-_.·]/g, "").toUpperCase();

/** {sex, birth} of an ID number of 15 or 18 characters, or {fault: key of the words}. */
export function readIdNumber(text) {
  const number = compact(text);
  if (/^[0-9]{15}$/.test(number)) {
    const old = iso(1900 + Number(number.slice(6, 8)), Number(number.slice(8, 10)), Number(number.slice(10, 12)));
    return old ? { sex: Number(number[14]) % 2 ? "male" : "female", birth: old } : { fault: "id_date" };
  }
  if (!/^[0-9]{17}[0-9X]$/.test(number)) return { fault: "id_length" };
  const birth = iso(Number(number.slice(6, 10)), Number(number.slice(10, 12)), Number(number.slice(12, 14)));
  if (birth === null || birth > today()) return { fault: "id_date" };
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  if (CHECKS[sum % 11] !== number[17]) return { fault: "id_check" };
  return { sex: Number(number[16]) % 2 ? "male" : "female", birth };
}

/** {birth} of an old card of a foreigner with permanent residence (3 letters, 12 digits); its year may be of either century. */
function readOldCard(number) {
  const [year, month, date] = [number.slice(7, 9), number.slice(9, 11), number.slice(11, 13)].map(Number);
  const isOfLastCentury = 2000 + year > Number(today().slice(0, 4));
  return isOfLastCentury ? { birth: iso(1900 + year, month, date) } : { birth: null };
}

/** The first number of 18 or 15 signs that stands by itself. */
function numberIn(text) {
  return /(?<![0-9])[0-9]{17}[0-9X](?![0-9])/.exec(text)?.[0] ?? /(?<![0-9])[0-9]{15}(?![0-9X])/.exec(text)?.[0];
}

/**
 * What number of a person stands in a text: {kind, …} or null.
 * `id` has sex and birth, `id_wrong` a fault, `card` perhaps a birth; `insurance` is a code of 28 digits [医保码], `passport` a passport.
 */
export function personalIn(text, { passports = false } = {}) {
  const whole = compact(text);
  if (/(?<![0-9])[0-9]{28}(?![0-9X])/.test(whole)) return { kind: "insurance" };
  const card = /^[A-Z]{3}[0-9]{12}$/.test(whole) ? whole : /(?<![A-Z0-9])[A-Z]{3}[0-9]{12}(?![A-Z0-9])/.exec(text.normalize("NFKC").toUpperCase())?.[0];
  if (card) return { kind: "card", ...readOldCard(card) };
  // As it was typed as well: a number before it would else seem to be part of it.
  const typed = text.normalize("NFKC").toUpperCase().replace(/[×ХΧ]/g, "X");
  const number = PARTED.exec(typed)?.[0].replace(/[^0-9X]/g, "") ?? numberIn(whole) ?? numberIn(typed);
  if (number && PLACE.test(number)) {
    const read = readIdNumber(number);
    if (!read.fault) return { kind: "id", isOld: number.length === 15, ...read };
    if (read.fault === "id_check") return { kind: "id_wrong", fault: read.fault };
  }
  // A number of one's own letter is as well one of something else: only where a person or an item is asked for.
  if (passports && /^(?:E[A-HJ-NP-Z]?|[GDKP]|SE|DE|PE)[0-9]{7,8}$/.test(whole)) return { kind: "passport" };
  return null;
}

/** Members whose digits are of something else: codes of items, and ids made here or by the server. */
const IMPERSONAL = new Set(["item_code", "finding_id", "line_id"]);

/** Whether a document holds the number of a person anywhere. */
export function holdsPersonal(value, name = "") {
  if (typeof value === "string") return !IMPERSONAL.has(name) && personalIn(value) !== null;
  if (value === null || typeof value !== "object") return false;
  return Object.entries(value).some(([key, each]) => holdsPersonal(each, Array.isArray(value) ? name : key));
}
