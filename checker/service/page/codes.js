// What stands in the item field: a national code, what is written on a package, a name, or the number of a person.

import { personalIn } from "./personal.js";

// As checker.model.schema.NATIONAL_CODE and CODE_LIKE.
const NATIONAL = /^(X[A-Z][0-9]{2}[A-Z]{3}[0-9]{3}[A-Z][0-9]{12}|Z[A-Z][0-9]{2}[A-Z]{3}[0-9]{13}|T[0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}|C[A-Z0-9]{26})$/;
const CODE_LIKE = /^(X[A-Z0-9]{22}|Z[A-Z0-9]{19}|T[A-Z0-9]{9}|C[A-Z0-9]{19}|C[A-Z0-9]{26})$/;
const APPROVAL = /^(?:国药准字|注册证号)[HZSJBTF][JCZ]?[0-9]{8}$/;

const barcodeIsRight = (digits) =>
  [...digits].reduce((total, digit, place) => total + Number(digit) * (place % 2 ? 3 : 1), 0) % 10 === 0;

/**
 * {kind, code | text} of what was entered: `national`, `trace`, `barcode`, `approval`, `name`; `personal` with what it is; or
 * {kind: "fault", fault: key of the words}, which is sent nowhere.
 */
export function readItem(typed) {
  const text = typed.normalize("NFKC").trim();
  const code = text.replace(/[\s-]/g, "").toUpperCase();
  if (code === "") return { kind: "fault", fault: "item_empty" };
  // Codes of services may look like old ID numbers; those begin with 0, which no place of an ID number does.
  const personal = personalIn(text, { passports: true });
  if (personal) return { kind: "personal", personal };
  if (/^[0-9]{20}$/.test(code)) return { kind: "trace", code };
  if (/^[0-9]{13}$/.test(code)) return barcodeIsRight(code) ? { kind: "barcode", code } : { kind: "fault", fault: "item_barcode" };
  if (NATIONAL.test(code)) return { kind: "national", code };
  if (CODE_LIKE.test(code)) return { kind: "fault", fault: "item_shape" };
  if (APPROVAL.test(code)) return { kind: "approval", code };
  // A permit for Hong Kong and Macao is written as a number of approval is without its words.
  if (/^[HZSJBTFM][JCZ]?[0-9]{8}([0-9]{2})?$/.test(code)) return { kind: "fault", fault: "item_approval_bare" };
  if (/[0-9]{14}/.test(code) || !/\p{L}/u.test(text)) return { kind: "fault", fault: "item_number" };
  // The beginning of a card's number is not asked of the server.
  if (/^[A-Z]{3}[0-9]{4,}$/.test(code)) return { kind: "fault", fault: "item_short" };
  return { kind: "name", text };
}

/** Whether what is being typed may be asked of the server for suggestions: nothing that may become a number of a person. */
export const maySuggest = (text) => /\p{L}/u.test(text) && !/[0-9]{4}/.test(text) && personalIn(text) === null;

/** Whether a text is the beginning of a code rather than a name. */
export const isCodeLike = (text) => /^[\x20-\x7e]+$/.test(text) && /[0-9]/.test(text);
