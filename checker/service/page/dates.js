// Days as ISO text, and ages and birth dates as they are typed.

const OLDEST = 130;

const pad = (number, width) => String(number).padStart(width, "0");

/** ISO text of a real calendar day, else null. */
export function iso(year, month, date) {
  const made = new Date(Date.UTC(year, month - 1, date));
  const real = year >= 1000 && made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === date;
  return real ? `${pad(year, 4)}-${pad(month, 2)}-${pad(date, 2)}` : null;
}

export const today = () => {
  const now = new Date();
  return `${pad(now.getFullYear(), 4)}-${pad(now.getMonth() + 1, 2)}-${pad(now.getDate(), 2)}`;
};

const MOST = { year: OLDEST, month: (OLDEST + 1) * 12 - 1, day: (OLDEST + 1) * 366 - 1 };
const UNIT = { month: "个月", day: "天" };

/** An age as it is sent: a number of years, or months or days with their unit; a fault where nobody is that old. */
function aged(number, unit) {
  if (number > MOST[unit]) return { fault: "birth_bad" };
  return { age: unit === "year" ? number : `${number}${UNIT[unit]}`, number, unit };
}

/** {age, number, unit} of an age in words, {fault}, or null where the text is none. */
function readAge(typed) {
  const text = typed.replace(/\s/g, "").replace(/^半岁$/, "6个月").replace(/岁半$/, "岁6个月");
  const years = /^([0-9]{1,3})(?:周?岁)?$/.exec(text);
  if (years) return aged(Number(years[1]), "year");
  const parts = /^(?:([0-9]{1,3})周?岁(?:零(?=[0-9]))?)?(?:([0-9]{1,4})个?月龄?)?(?:零?([0-9]{1,5})(?:天|日龄))?$/.exec(text);
  if (parts) {
    const [year, month, day] = parts.slice(1).map((part) => (part === undefined ? null : Number(part)));
    if (year === null && month === null) return aged(day, "day");
    // Days beside months say no more than that these are complete.
    return aged((year ?? 0) * 12 + (month ?? 0), "month");
  }
  return /^[0-9]{1,4}(周?岁|个|个?月)/.test(text) ? { fault: "birth_half" } : null;
}

/**
 * {birth}, {age, number, unit} or {} of what was typed, or {fault: key of the words}.
 * `isWhole` where no further key can change what it says: all else may be half of something until it is left or confirmed.
 */
export function readBirthOrAge(text) {
  const typed = text.normalize("NFKC").trim();
  if (typed === "") return { isWhole: true };
  const age = readAge(typed);
  if (age) return age;
  const parts = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(typed) ?? /^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$/.exec(typed);
  const birth = parts && iso(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (!birth) return { fault: /^(1[89]|20)[0-9]{0,5}$/.test(typed) ? "birth_half" : "birth_bad" };
  return birth > today() ? { fault: "birth_future" } : { birth, isWhole: /^[0-9]{8}$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(typed) };
}
