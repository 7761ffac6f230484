// The page of an op: its form, its programs, what it answers, and its errors made to happen.

import { explained, hints, items } from "./ops-answer.js";
import { ENCODINGS, FIELD_NAME, fetched, request } from "./ops-request.js";
import { API, code, during, freshNumber, newScene, remember, remembered } from "./ops-scene.js";
import { LANGUAGES, written } from "./ops-snippets.js";

const $ = (id) => document.getElementById(id);
const form = $("call");
const { op } = form.dataset;
const needsSession = "session" in form.dataset;
const rows = [...form.querySelectorAll(".field[data-name]")];
const more = form.querySelector("[data-more]");
const file = form.querySelector("[data-file]");
const SHOWN = 400;

let scene = remembered();
// Who is not logged in by this page gets a code sent, so each page and each error has a number of its own.
let fresh = freshNumber();
// What takes the place of a file, and of a long text that no field shows: { name, text }.
let noPicture = false;
let long = null;

// Values

const tick = (row) => row.querySelector("input[type=checkbox]");
const entry = (row) => row.querySelector("textarea, select");

function filled(value) {
  if (value !== null && typeof value === "object") return value.letter.repeat(value.times);
  const number = needsSession && op !== "changenumber" ? null : fresh;
  const known = {
    "{own}": scene?.own ?? "14155550101",
    "{friend}": scene?.friend ?? "14155550102",
    "{other}": number ?? scene?.other ?? "14155550103",
    "{new}": fresh,
    "{gid}": scene?.gid ?? "0",
  };
  return String(known[value] ?? value);
}

function set(row, text) {
  tick(row).checked = text !== null;
  const field = entry(row);
  if (field.tagName === "SELECT" && text !== null && ![...field.options].some((option) => option.value === text)) {
    field.add(new Option(text, text));
  }
  field.value = text ?? "";
}

// The good call, changed by `fields`: null leaves one out.
function fill(fields = {}) {
  noPicture = false;
  long = null;
  for (const row of rows) {
    const { name, example } = row.dataset;
    const isToken = name === "token";
    let value = isToken ? scene?.token ?? null : example === undefined ? null : filled(JSON.parse(example));
    if (name in fields) value = fields[name] === null ? null : filled(fields[name]);
    set(row, value);
  }
  if (file) {
    const sends = "photo" in fields ? fields.photo : form.dataset.photo || null;
    tick(file).checked = sends !== null;
    noPicture = sends === "{no_picture}";
    file.querySelector("[type=file]").value = "";
  }
  tick(more).checked = "more" in fields;
  $("more-name").value = "more" in fields ? "more" : "";
  $("more-text").value = "";
  if ("more" in fields) long = { name: "more", text: filled(fields.more) };
  $("good").hidden = Object.keys(fields).length === 0;
}

function given() {
  const found = [{ name: "op", text: op, type: "text" }];
  for (const row of rows) {
    if (tick(row).checked) found.push({ name: row.dataset.name, text: entry(row).value, type: row.dataset.kind });
  }
  const name = $("more-name").value;
  if (tick(more).checked && FIELD_NAME.test(name)) {
    found.push({ name, text: long?.name === name ? long.text : $("more-text").value, type: "text" });
  }
  return found;
}

const cut = (text) => (text.length > SHOWN ? `${text.slice(0, 60)}…` : text);

// The file that goes along, or null. A picture is made where none was chosen.
async function chosenFile() {
  if (!file || !tick(file).checked) return null;
  const [chosen] = file.querySelector("[type=file]").files;
  if (noPicture) return { field: "photo", name: "photo.jpg", type: "image/jpeg", data: new Blob(["no picture"], { type: "image/jpeg" }) };
  if (chosen) return { field: "photo", name: `photo.${chosen.name.match(/\.(\w{1,5})$/)?.[1] ?? "jpg"}`, type: chosen.type || "application/octet-stream", data: chosen };
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 320 });
  const context = canvas.getContext("2d");
  context.fillStyle = `hsl(${Math.floor(Math.random() * 360)} 60% 45%)`;
  context.fillRect(0, 0, 320, 320);
  const data = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
  return { field: "photo", name: "photo.jpg", type: "image/jpeg", data };
}

// Programs

function choices(place, named, key, start) {
  const kept = localStorage.getItem(key);
  for (const [value, title] of Object.entries(named)) {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: place.id, value });
    radio.checked = value === (kept in named ? kept : start);
    radio.addEventListener("change", () => {
      localStorage.setItem(key, value);
      show();
    });
    label.append(radio, document.createElement("span"));
    label.lastChild.textContent = title;
    place.append(label);
  }
}

const chosen = (id) => $(id).querySelector(":checked").value;

function choose(id, value) {
  $(id).querySelector(`[value=${value}]`).checked = true;
}

// Whatever the form shows, as a program.
async function show() {
  const encoding = chosen("encodings");
  const all = given();
  const short = all.map((field) => ({ ...field, text: cut(field.text) }));
  const call = request(API, encoding, short, await chosenFile());
  $("snippet").textContent = written(chosen("languages"), call);
  const wrong = tick(more).checked && !FIELD_NAME.test($("more-name").value);
  const notes = [
    file && tick(file).checked && encoding !== "parts" ? "The file is left out: it travels in multipart alone." : "",
    all.some((field) => field.text.length > SHOWN) ? "A long text is cut off here, and sent whole." : "",
    wrong ? "The other field is left out: its name begins with a letter, and has letters, digits, _ . - [ ]." : "",
  ].filter(Boolean);
  $("snippet-note").textContent = notes.join(" ");
  $("snippet-note").hidden = notes.length === 0;
}

// Calls

async function sent(call) {
  const started = performance.now();
  const response = await fetch(...call);
  const text = await response.text();
  return { text, hints: hints(response.headers.get("X-Messenger-Hint")), status: response.status, ms: Math.round(performance.now() - started) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function showAnswer({ text, status, ms, hints: found }) {
  const answer = parsed(text);
  const line = answer?.error ?? answer?.code ?? (answer ? "OK" : "no JSON");
  $("answer-panel").hidden = false;
  $("answer-panel").dataset.result = answer && !(answer.error ?? answer.code) ? "ok" : "fail";
  $("answer-line").textContent = `${line} · HTTP ${status} · ${ms} ms`;
  $("hints").hidden = found.length === 0;
  $("hints").querySelector("ul").replaceChildren(...items(found));
  $("explained").replaceChildren(answer ? explained(answer) : "");
  $("wire").textContent = answer ? JSON.stringify(answer, null, 2) : text;
  $("made").hidden = true;
  return answer;
}

async function send() {
  const encoding = chosen("encodings");
  const all = given();
  const answer = showAnswer(await sent(fetched(request(API, encoding, all, await chosenFile()))));
  $("answer-panel").scrollIntoView({ block: "nearest" });
  follow(answer, all.find((field) => field.name === "token")?.text);
  return answer;
}

// Whose token is used from now on, after what the answer says.
function follow(answer, token) {
  if (answer?.token && typeof answer.token === "string") {
    scene = { ...(scene ?? { friend: freshNumber(), other: freshNumber(), gid: "0" }), own: answer.phone, token: answer.token };
  } else if (scene && token === scene.token) {
    const ended = answer?.error === "AUTHFAIL" || (answer?.result === "OK" && ["logout", "deleteaccount"].includes(op));
    if (ended) scene = null;
    if (op === "setgroup" && answer?.gid) scene.gid = String(answer.gid);
  }
  remember(scene);
  showSession();
}

// The session

function showSession() {
  const who = $("who");
  who.replaceChildren();
  const bold = document.createElement("b");
  bold.textContent = scene ? `Logged in as ${scene.own}.` : "Nobody is logged in.";
  const rest = scene ? ` Their group is ${scene.gid}; ${scene.friend} and ${scene.other} have accounts, too.` : ` ${op} needs a token.`;
  if (needsSession || scene) who.append(bold, needsSession || scene ? rest : "");
  else who.append(Object.assign(bold, { textContent: `${op} needs no token.` }));
  $("login").hidden = scene !== null;
  $("forget").hidden = scene === null;
}

async function logIn() {
  scene = await newScene();
  remember(scene);
  showSession();
}

// Runs what a button does: one thing at a time, and what goes wrong is said.
async function busy(words, work) {
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  $("sending").textContent = words;
  try {
    await work();
    $("sending").textContent = $("answer-line").textContent;
  } catch (error) {
    $("sending").textContent = `It did not work: ${error.message}.`;
  }
  form.removeAttribute("aria-busy");
  await show();
}

// Errors

async function call(fields) {
  fill(fields);
  const encoding = file && tick(file).checked && long === null ? "parts" : "form";
  return sent(fetched(request(API, encoding, given(), await chosenFile())));
}

async function withCode(fields) {
  const entries = Object.entries(fields);
  const phone = filled(fields.phone ?? (op === "changenumber" ? "{new}" : "{other}"));
  const values = await Promise.all(entries.map(async ([name, value]) => [name, value === "{code}" ? await code(phone) : value]));
  return Object.fromEntries(values);
}

async function make(how, wanted) {
  if (needsSession && !scene) await logIn();
  fresh = freshNumber();
  // Whoever calls too often has to wait, so that is somebody else.
  const kept = scene;
  if (needsSession && how.before.length) scene = await newScene();
  try {
    for (const earlier of how.before) await call(await withCode(earlier));
    const fields = await withCode(how.fields);
    const fault = how.away === "database" ? { op: "database" } : how.fault.op && how.fault;
    const came = await during(fault, () => (how.body ? sentRaw(how.body) : call(fields)));
    choose("encodings", file && tick(file).checked && long === null ? "parts" : "form");
    const answer = showAnswer(came);
    const isIt = answer?.error === wanted;
    $("made").textContent = isIt
      ? `${wanted}, as it should be.${how.body ? ` The body was ${how.body} and nothing more.` : ""} What was changed for it is put right; the form still has the call that made it.`
      : `This should have been ${wanted}.`;
    $("made").hidden = false;
    $("good").hidden = false;
  } finally {
    scene = kept;
  }
  $("answer-panel").focus();
}

function sentRaw(body) {
  fill();
  return sent([`${API}?op=${op}`, { method: "POST", headers: { "Content-Type": "application/json" }, body }]);
}

// What is where

function begin() {
  $("rail").open = matchMedia("(min-width: 1020px)").matches;
  choices($("languages"), Object.fromEntries(Object.entries(LANGUAGES).map(([name, { title }]) => [name, title])), "playground.language", "curl");
  choices($("encodings"), ENCODINGS, "playground.encoding", "form");
  if (form.dataset.photo) choose("encodings", "parts");
  fill();
  showSession();
  $("program-panel").hidden = false;
  for (const button of document.querySelectorAll(".make")) {
    button.hidden = false;
    button.addEventListener("click", () => busy(`Making ${button.dataset.code} happen …`, () => make(JSON.parse(button.dataset.how), button.dataset.code)));
  }
  show();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy("Sending …", send);
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("input", (event) => {
  const row = event.target.closest(".field");
  if (row && event.target !== tick(row)) tick(row).checked = true;
  if (row === more) long = null;
  if (event.target.type === "file") {
    noPicture = false;
    choose("encodings", "parts");
  }
  show();
});
$("good").addEventListener("click", () => {
  fill();
  show();
});
$("login").addEventListener("click", () => busy("Logging in …", async () => {
  await logIn();
  fill();
}));
$("forget").addEventListener("click", () => {
  scene = null;
  remember(null);
  fill();
  showSession();
  show();
});
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("snippet").textContent);
  $("copy").textContent = "Copied";
  setTimeout(() => ($("copy").textContent = "Copy"), 1500);
});
begin();
