// What the sandbox's page does: logs in, sends, resets.
import { JSON_TYPE, Refused, ask, at } from "./asking.js";
import { both, known, plus } from "./making.js";

const APPID = "com.example.messenger";
const PATIENCE = 20000; // milliseconds that a code may take

// Calls the private API as an app does.
async function call(op, fields) {
  const answer = await ask(at.api, { method: "POST", body: new URLSearchParams({ op, appid: APPID, ...fields }) });
  if (answer.result !== "OK") throw new Refused(answer.errmsg || `The answer is ${answer.error}.`);
  return answer;
}

// Tokens of those whom this page logged in, as long as its tab is open.
const KEPT = "sandbox-tokens";
const tokens = new Map(JSON.parse(sessionStorage.getItem(KEPT) || "[]"));
function keep(number, token) {
  if (token) tokens.set(number, token);
  else tokens.delete(number);
  sessionStorage.setItem(KEPT, JSON.stringify([...tokens]));
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// The code in a text to this number that is not one of those known before.
async function code(number, known) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const { sms } = await ask(at.sms);
    const found = sms.find((text) => text.to === number && !known.has(text.id));
    const digits = found && found.text.match(/(?<!\d)\d{4,10}(?!\d)/);
    if (digits) return digits[0];
    await pause(300);
  }
  throw new Refused("No code came. Are texts late or lost?");
}

async function logIn(number, name) {
  const known = new Set((await ask(at.sms)).sms.map((text) => text.id));
  const asked = { phone: number, ...(name && { name }) };
  await call("login", asked);
  const { token, phone } = await call("login", { ...asked, otp: await code(number, known) });
  keep(phone, token);
  return token;
}

async function send(from, to, text) {
  const token = tokens.get(from) || await logIn(from);
  const answer = await ask(at.chat, {
    method: "POST",
    headers: { ...JSON_TYPE, Authorization: `Bearer ${token}` },
    body: JSON.stringify({ text, ...to }),
  });
  if (answer.result) return;
  if (answer.error === "AUTHFAIL") keep(from, "");
  throw new Refused(answer.cause || `mesibo answers ${answer.error}.`);
}

// A form whose button waits while `work` is at it; what came of it, or why not, is said below.
function form(id, work) {
  const element = document.getElementById(id);
  if (!element) return;
  const came = element.querySelector(".came"), button = element.querySelector("button");
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    came.classList.remove("failed");
    came.textContent = "…";
    try {
      came.textContent = await work(element) || "";
    } catch (error) {
      came.classList.add("failed");
      came.textContent = error instanceof Refused ? error.message : `This went wrong: ${error}`;
    }
    button.disabled = false;
    if (document.activeElement === document.body) button.focus();
  });
}

const digits = (text) => text.replace(/\D/g, "").replace(/^00/, "");

function sure() {
  const dialog = document.getElementById("sure");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "reset"), { once: true });
  });
}

form("log-in", async ({ elements }) => {
  const number = digits(elements.number.value);
  const token = await logIn(number, elements.name.value.trim());
  document.getElementById("token-text").textContent = token;
  document.getElementById("token-of").textContent = `The token of ${elements.name.value.trim() || known(number)}:`;
  document.getElementById("token").hidden = false;
  return "Logged in.";
});
form("send", async ({ elements }) => {
  const [kind, value] = elements.to.value.split(" ");
  await send(elements.from.value, kind === "gid" ? { gid: Number(value) } : { to: value }, elements.text.value);
  return "Sent.";
});
form("reset", async () => {
  if (!await sure()) return "Nothing was done.";
  await ask(at.reset, { method: "POST", headers: JSON_TYPE, body: "{}" });
  sessionStorage.removeItem(KEPT);
  tokens.clear();
  return "All is forgotten.";
});
// Where there is room all is open from the start, but for what destroys.
if (matchMedia("(min-width: 1100px)").matches) {
  for (const act of document.querySelectorAll(".act:not(:has(#reset))")) act.open = true;
}

// What can be chosen: users, and groups to send to. A choice that was made stays.
export function offer(users, groups) {
  const people = users.map((user) => [user.address, both(user.address)]);
  options("numbers", people.map(([address, text]) => [plus(address), text]));
  options("from", people);
  options("to", [
    ...people.map(([address, text]) => [`to ${address}`, text]),
    ...groups.map((group) => [`gid ${group.gid}`, `Group ${group.name || group.gid}`]),
  ], 1);
}

function options(id, pairs, first = 0) {
  const list = document.getElementById(id);
  const source = JSON.stringify(pairs);
  if (!list || list.source === source) return;
  const chosen = list.value;
  list.source = source;
  list.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  if (pairs.some(([value]) => value === chosen)) list.value = chosen;
  else if (list.options.length > first) list.selectedIndex = first;
}
