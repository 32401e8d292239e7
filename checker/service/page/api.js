// Asking the server: JSON in and out, one time limit (browsers from Chromium 109 on: the last for Windows 7), and the access key where the server wants one.

import { byId, show } from "./dom.js";
import { holdsPersonal } from "./personal.js";
import { say } from "./words.js";

const KEPT = "liangku.key";
const LIMIT_MS = 10000;
const QUESTION = "X-Liangku-Question";

/** Why there is no answer, in a sentence for whoever stands at the counter. `status` is null where no server answered. */
export class AskFailed extends Error {
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

/** The answer of the server to one request. Throws AskFailed; where `signal` gave the request up, whatever fetch throws. */
export async function ask(path, { body = null, signal = null } = {}) {
  // Fields are looked at before; what slipped through ends here.
  if (holdsPersonal(decodeURIComponent(path)) || holdsPersonal(body)) throw new AskFailed(say("personal_kept"));
  for (let wrong = false; ; wrong = true) {
    const { status, answer, isAnother } = await exchange(path, body, signal);
    if (isAnother) throw new AskFailed(say("other_answer"), status);
    if (status === 401 && (await askForKey(wrong))) continue;
    if (status < 200 || status > 299) throw new AskFailed(answer?.error?.message ?? say("http_failed", { status }), status);
    if (answer === null || typeof answer !== "object") throw new AskFailed(say("not_json"), status);
    return answer;
  }
}

let asked = 0;

/** One request and its whole answer within the limit; `answer` is null where it is no JSON, `isAnother` where it is to another question. */
async function exchange(path, body, signal) {
  const question = path.startsWith("v1/check") ? `${Date.now().toString(36)}-${(asked += 1)}-${Math.random().toString(36).slice(2)}` : null;
  const giveUp = new AbortController();
  const stop = () => giveUp.abort();
  let slow = false;
  const timer = setTimeout(() => {
    slow = true;
    stop();
  }, LIMIT_MS);
  signal?.addEventListener("abort", stop);
  try {
    const response = await fetch(path, {
      method: body === null ? "GET" : "POST",
      headers: headers(body !== null, question),
      body: body === null ? undefined : JSON.stringify(body),
      signal: giveUp.signal,
      cache: "no-store",
    });
    const answer = read(await response.text());
    return { status: response.status, answer, isAnother: response.ok && question !== null && response.headers.get(QUESTION) !== question };
  } catch (failure) {
    throw signal?.aborted ? failure : new AskFailed(say(slow ? "net_slow" : "net_failed"));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function headers(sends, question) {
  const key = sessionStorage.getItem(KEPT);
  return {
    ...(key && { Authorization: `Bearer ${key}` }),
    ...(sends && { "Content-Type": "application/json" }),
    ...(question && { [QUESTION]: question }),
  };
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

let asking = null;

/** Asks for the key once, however many requests wait for it; true where one was given. */
function askForKey(wrong) {
  asking ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const field = byId("key-field");
    show(byId("key-wrong"), wrong);
    field.value = "";
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        const ok = dialog.returnValue === "ok" && field.value.trim() !== "";
        if (ok) sessionStorage.setItem(KEPT, field.value.trim());
        field.value = "";
        asking = null;
        resolve(ok);
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}

/** Lets the dialog's buttons close it; a form with an action is nothing that the page may send. */
export function prepareKeyDialog() {
  const dialog = byId("key-dialog");
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close("ok");
  });
  byId("key-cancel").addEventListener("click", () => dialog.close("cancel"));
}
