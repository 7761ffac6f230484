// The page: two phones, the buttons for faults, and what went over the wire.

import { DIALECTS } from "./dialects.js";
import { clock, h } from "./dom.js";
import { Phone } from "./phone.js";
import { show } from "./screens.js";
import { Wire, pretty } from "./wire.js";

const MOST = 60; // lines of a list
const FAULTS = {
  mesibo: [{ op: "*", drop: true }, { op: "chat", error: "AWAY" }],
  late: [{ op: "text", delay: 15 }],
  lost: [{ op: "text", drop: true }],
  database: [{ op: "database" }],
};

const find = (selector) => document.querySelector(selector);
const wire = new Wire();
// Of the numbers that Ofcom keeps for films one that no user has, if there is one.
const { users } = await (await fetch("/sandbox/users.json?limit=1000")).json();
function number(first) {
  const all = Array.from({ length: 500 }, (_, at) => `${447700900000 + first + at}`);
  const free = all.filter((each) => !users.some(({ address }) => address === each));
  const from = free.length ? free : all;
  return from[Math.floor(Math.random() * from.length)];
}
const phones = [
  new Phone("a", { number: number(0), name: "Ana", dialect: "android-current" }, wire),
  new Phone("b", { number: number(500), name: "Ben", dialect: "ios-current" }, wire),
];
[phones[0].peer, phones[1].peer] = [phones[1], phones[0]];

// Phones

const owner = (phone) => phone.s.profile.name || phone.s.name;

for (const phone of phones) {
  const place = find(`#phone-${phone.id}`);
  const select = place.querySelector("select");
  const says = place.querySelector(".says");
  const kill = place.querySelector(".kill");
  const tab = find(`[data-phone=${phone.id}]`);
  select.append(...Object.entries(DIALECTS).map(([name, { title }]) => h("option", { value: name }, title)));
  select.addEventListener("change", () => {
    phone.s.dialect = select.value;
    phone.changed();
  });
  kill.addEventListener("click", () => phone.killToken());
  tab.addEventListener("click", () => {
    document.body.dataset.shown = phone.id;
    for (const other of phones) find(`[data-phone=${other.id}]`).ariaPressed = String(other === phone);
  });
  const refresh = () => {
    select.value = phone.s.dialect;
    says.textContent = phone.dialect.says;
    kill.disabled = !phone.s.token;
    place.querySelector(".owner").textContent = `${owner(phone)}'s phone`;
    tab.textContent = owner(phone) + (Object.keys(phone.s.unread).length ? " •" : "");
  };
  phone.addEventListener("changed", refresh);
  refresh();
  show(phone, place.querySelector(".screen"));
  phone.run();
}

function tell() {
  const time = clock(Date.now() / 1000);
  for (const place of document.querySelectorAll(".time")) place.textContent = time;
}
setInterval(tell, 5000);
tell();

// Faults

const buttons = [...document.querySelectorAll("[data-fault]")];

async function set(name) {
  await fetch("/sandbox/faults", { method: "DELETE" });
  for (const fault of FAULTS[name] || []) {
    await fetch("/sandbox/faults", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fault) });
  }
  await look();
}

// Which fault is set, also by another page.
async function look() {
  const { faults } = await (await fetch("/sandbox/faults")).json();
  const ops = faults.map(({ op, drop }) => `${op} ${drop}`);
  const now = Object.keys(FAULTS).find((name) => FAULTS[name].every(({ op, drop = false }) => ops.includes(`${op} ${drop}`)));
  const strange = faults.length > 0 && !now;
  const pressed = buttons.find((each) => !strange && each.dataset.fault === (now || ""));
  for (const button of buttons) button.ariaPressed = String(button === pressed);
  const says = strange ? "A fault is set that another page or test has set." : pressed.dataset.says;
  const place = find("#fault-says");
  if (place.textContent !== says) place.textContent = says;
  place.classList.toggle("bad", faults.length > 0);
}

for (const button of buttons) button.addEventListener("click", () => set(button.dataset.fault));

// What went over the wire

function line(entry, summary, ...parts) {
  const open = h("details", h("summary", ...summary), ...parts.map(([name, text]) => [h("h3", name), h("pre", { tabindex: 0 }, text)]));
  return h("li", { class: entry.ok ? "" : "bad" }, open);
}

function put(list, item) {
  list.prepend(item);
  while (list.children.length > MOST) list.lastElementChild.remove();
  list.parentElement.querySelector(".empty").hidden = true;
}

wire.addEventListener("sent", ({ detail: entry }) => {
  const phone = phones.find((each) => each.id === entry.phone);
  put(find("#wire"), line(entry,
    [h("span", { class: `from ${entry.phone}` }, owner(phone)), h("b", entry.op), h("span.path", `${entry.method} ${entry.path}`), h("span.code", entry.code), h("span.ms", `${entry.ms} ms`)],
    [`${entry.method} ${entry.path} · ${entry.type}`, entry.sent],
    [`Answer${entry.status ? ` · HTTP ${entry.status}` : ""}`, entry.answer]));
});

let heard = 0;
async function hear() {
  const { calls } = await (await fetch(`/sandbox/calls.json?limit=${MOST}&after=${heard}`)).json();
  for (const call of calls.reverse()) {
    heard = call.id;
    const ok = call.answer.result === true;
    put(find("#told"), line({ ok },
      [h("b", call.op), h("span.code", ok ? "OK" : call.answer.error || "no answer"), h("span.ms", clock(call.time))],
      ["Told", pretty(call.fields)], ["Answer", pretty(call.answer)]));
  }
}

async function run() {
  try {
    await Promise.all([hear(), look()]);
  } catch {
    // the server is away; the phones say so
  }
  setTimeout(run, 1000);
}
run();
