// Pretend users of the sandbox, and its faults. Who is logged in is remembered for the tab.

import { fetched, request } from "./ops-request.js";

export const API = new URL("/api.php", location.href).href;
const APPID = "com.example.messenger";
const KEY = "playground.ops";
const NOBODY = "x".repeat(48);
const PATIENCE = 20_000;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Numbers that are kept for films: 555-0100 to 555-0199 of an area of North America.
const AREAS = "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314".split(" ");
export function freshNumber() {
  const [area, last] = crypto.getRandomValues(new Uint16Array(2));
  return `1${AREAS[area % AREAS.length]}55501${String(last % 100).padStart(2, "0")}`;
}

// Who is logged in: { own, friend, other, token, gid }, or null.
export function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function remember(scene) {
  sessionStorage.setItem(KEY, JSON.stringify(scene));
}

// A call that must succeed. Throws an Error that says what came.
async function ok(op, fields) {
  const given = Object.entries({ op, ...fields }).map(([name, text]) => ({ name, text, type: "text" }));
  const answer = await (await fetch(...fetched(request(API, "form", given)))).json();
  if (answer.result !== "OK") throw new Error(`${op}: ${answer.errmsg || answer.error || "refused"}`);
  return answer;
}

async function until(found, what) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(150)) {
    const it = await found();
    if (it) return it;
  }
  throw new Error(what);
}

// The code in the newest text message to a number.
export function code(number) {
  return until(async () => {
    const { sms } = await (await fetch("/sandbox/sms.json?limit=50", { cache: "no-store" })).json();
    return sms.find((text) => text.to === number)?.text.match(/\d{4,10}/)?.[0];
  }, "the code did not come");
}

async function newcomer(name) {
  const who = { phone: freshNumber(), appid: APPID };
  await ok("login", { ...who, name });
  return { number: who.phone, token: (await ok("login", { ...who, otp: await code(who.phone) })).token };
}

// Somebody with a token, two friends with accounts, and a group.
export async function newScene() {
  const friend = (await newcomer("Ben")).number;
  const other = (await newcomer("Cem")).number;
  const { number: own, token } = await newcomer("Ana");
  const { gid } = await ok("setgroup", { token, gid: "0", name: "Cooks", m: friend });
  return { own, friend, other, token, gid: String(gid) };
}

const faults = (method, fault) => fetch("/sandbox/faults", {
  method,
  ...(fault && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(fault) }),
});

// Whether the database answers, by a call that changes nothing.
async function databaseIsAway() {
  const [url, init] = fetched(request(API, "form", [["op", "sessions"], ["token", NOBODY]].map(([name, text]) => ({ name, text }))));
  return (await (await fetch(url, init)).json()).error === "TRYLATER";
}

// Runs `work` while a fault holds, and ends it whatever happens.
export async function during(fault, work) {
  if (!fault) return work();
  const away = fault.op === "database";
  await faults("POST", fault);
  try {
    if (away) await until(databaseIsAway, "the database is still there");
    return await work();
  } finally {
    await faults("DELETE");
    if (away) await until(async () => !(await databaseIsAway()), "the database is still away");
  }
}
