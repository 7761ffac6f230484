// Requests as they go over the wire, each told to whoever listens, with its answer and its time.

const LONGEST = 90; // of a text that is shown: pictures are cut
const PATIENCE = 30_000;

export class NoConnection extends Error {}

export class Wire extends EventTarget {
  // Send a request of a dialect; the answer is an object.
  async send(phone, op, request) {
    const headers = request.type && !(request.body instanceof FormData) ? { "Content-Type": request.type } : {};
    return this.#told({ ...request, phone, op, method: "POST", headers });
  }

  // What a phone asks of mesibo: the sandbox's stand-in for its SDK. Polls are many and not told.
  chat(phone, token, path, given) {
    const headers = { Authorization: `Bearer ${token}` };
    if (!given) return ask({ path, method: "GET", headers }).then(read);
    const request = { phone, op: path.slice("/sandbox/".length), path, method: "POST", type: "application/json", shown: given };
    const body = JSON.stringify(given);
    return this.#told({ ...request, body, headers: { ...headers, "Content-Type": request.type } });
  }

  // The text messages that came, newest first.
  texts(most) {
    return ask({ path: `/sandbox/sms.json?limit=${most}`, method: "GET" }).then(read);
  }

  async #told(request) {
    const { phone, op, method, path, type } = request;
    const entry = { phone, op, method, path, type: type || "no content type", sent: pretty(request.shown), at: Date.now() };
    const start = performance.now();
    try {
      const answer = await ask(request);
      const found = await read(answer);
      Object.assign(entry, { status: answer.status, answer: pretty(found), ok: found.result !== "FAIL" && found.result !== false });
      entry.code = found.error || "OK";
      return found;
    } catch (error) {
      Object.assign(entry, { code: "no answer", answer: String(error.message), ok: false });
      throw error;
    } finally {
      entry.ms = Math.round(performance.now() - start);
      this.dispatchEvent(new CustomEvent("sent", { detail: entry }));
    }
  }
}

async function ask({ path, method, headers, body }) {
  try {
    return await fetch(path, { method, headers, body, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new NoConnection("The server does not answer.");
  }
}

async function read(answer) {
  const text = await answer.text();
  try {
    if (answer.ok) return JSON.parse(text);
  } catch {
    // as below
  }
  throw new NoConnection(`HTTP ${answer.status}: ${text.slice(0, LONGEST)}`);
}

export function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, short, 2);
}

function short(_name, value) {
  if (typeof value !== "string" || value.length <= LONGEST) return value;
  try {
    if (value[0] === "{") return JSON.parse(value); // an update message in a message
  } catch {
    // a text like any other
  }
  return `${value.slice(0, 40)}… (${value.length} characters)`;
}
