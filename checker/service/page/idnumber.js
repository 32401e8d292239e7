// What a person's field says: an ID number's sex and birth date, a birth date, or an age.

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = "10X98765432";
const OLDEST = 130;

const pad = (number, width) => String(number).padStart(width, "0");

/** ISO text of a real calendar day, else null. */
function day(year, month, date) {
  const made = new Date(Date.UTC(year, month - 1, date));
  const real = year >= 1000 && made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === date;
  return real ? `${pad(year, 4)}-${pad(month, 2)}-${pad(date, 2)}` : null;
}

const today = () => {
  const now = new Date();
  return `${pad(now.getFullYear(), 4)}-${pad(now.getMonth() + 1, 2)}-${pad(now.getDate(), 2)}`;
};

/** {sex, birth} of a resident ID number, or {fault: key of the words}. */
export function readIdNumber(text) {
  const number = text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
  if (!/^[0-9]{17}[0-9X]$/.test(number)) return { fault: "id_length" };
  const birth = day(Number(number.slice(6, 10)), Number(number.slice(10, 12)), Number(number.slice(12, 14)));
  if (birth === null || birth > today()) return { fault: "id_date" };
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  if (CHECKS[sum % 11] !== number[17]) return { fault: "id_check" };
  return { sex: Number(number[16]) % 2 ? "male" : "female", birth };
}

/** {birth}, {age} or {} of what was typed, or {fault: key of the words}. */
export function readBirthOrAge(text) {
  const typed = text.normalize("NFKC").trim();
  if (typed === "") return {};
  const age = /^([0-9]{1,3})\s*岁?$/.exec(typed);
  if (age) return Number(age[1]) <= OLDEST ? { age: Number(age[1]) } : { fault: "birth_bad" };
  const parts = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(typed) ?? /^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$/.exec(typed);
  const birth = parts && day(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (!birth) return { fault: "birth_bad" };
  return birth > today() ? { fault: "birth_future" } : { birth };
}
