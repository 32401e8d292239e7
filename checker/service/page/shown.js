// Texts from outside as they may be shown: the page's twin of checker/model/shown.py.

const SIGNS =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const FORMULA = /^[\s\u0085\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－﹣−＠﹢﹦]|^[\t\r\n]/u;

/** A text without signs that hide, or turn the order of what is read; a substitute stands for each. */
export const shown = (text) => String(text).replace(SIGNS, "\ufffd");

/** Whether a spreadsheet would run a text, or would once what no eye sees before its sign is taken away. */
export const isFormula = (text) => FORMULA.test(text);
