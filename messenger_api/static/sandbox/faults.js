// Faults with words: buttons that set one, and each that holds with a button that ends it.
import { JSON_TYPE, ask, at } from "./asking.js";
import { add, duration, make, plural } from "./making.js";

// Those of "text" and "chat" are of the way to the phone, those of "*" of all calls of mesibo.
const PRESETS = [
  { title: "mesibo is away", says: "Its connection breaks at every call.", fault: { op: "*", drop: true } },
  { title: "mesibo is slow", says: "Each call takes three seconds more.", fault: { op: "*", delay: 3 } },
  { title: "mesibo refuses the app token", says: "As after a new token was made in mesibo's console.", fault: { op: "*", error: "AUTHFAIL" } },
  { title: "Texts come late", says: "Each takes 15 seconds more to its phone.", fault: { op: "text", delay: 15 } },
  { title: "Texts get lost", says: "The network takes them, and no phone gets them.", fault: { op: "text", drop: true } },
  { title: "Phones reach no mesibo", says: "No chat is sent or fetched.", fault: { op: "chat", drop: true } },
  { title: "The database is away", says: "Every call answers TRYLATER.", fault: { op: "database" } },
].filter(({ fault }) => fault.op !== "database" || at.api);

const same = (preset, fault) => Object.entries(preset.fault).every(([key, value]) => fault[key] === value);
const presetOf = (fault) => PRESETS.find((preset) => same(preset, fault));

const change = async (url, options) => showFaults((await ask(url, options)).faults);
const set = (fault) => change(at.faults, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(fault) });
const end = (id) => change(`${at.faults}/${id}`, { method: "DELETE" });
let shown = "";

function faultText(fault) {
  const what = [
    fault.delay ? `waits ${duration(fault.delay)}` : "",
    fault.after ? "is carried out" : "",
    fault.drop ? "gets no answer" : fault.html ? "gets an HTML page" : fault.error ? `is refused with ${fault.error}` : "",
  ].filter(Boolean).join(", ");
  const op = { "*": "every call of mesibo", sms: "every text message" }[fault.op] || fault.op;
  return `${op} ${what || "goes through"}.`;
}

// Each fault that holds, with a button that ends it.
export function showFaults(faults) {
  const source = JSON.stringify(faults);
  if (source === shown) return; // a focus stays
  shown = source;
  document.getElementById("faults").replaceChildren(...faults.map(banner));
  PRESETS.forEach((preset, n) => {
    const holds = faults.find((fault) => presetOf(fault) === preset);
    const element = document.getElementById("presets").children[n];
    element.setAttribute("aria-pressed", String(Boolean(holds)));
    element.dataset.id = holds ? holds.id : "";
  });
}

function banner(fault) {
  const preset = presetOf(fault);
  const said = add(
    make("span"),
    make("b", "", preset ? `${preset.title}.` : "A fault is set:"),
    ` ${preset ? preset.says : faultText(fault)}${fault.times ? ` ${plural(fault.times, "time", "times")} more.` : ""}`,
  );
  const ends = button("button", "End", () => end(fault.id).then(() => document.getElementById("main").focus()));
  ends.setAttribute("aria-label", `End: ${said.textContent}`);
  return add(make("div", "fault notice bad"), said, ends);
}

function button(className, text, work) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", work);
  return element;
}

document.getElementById("presets").append(...PRESETS.map((preset) => {
  const element = button("preset", "", () => (element.dataset.id ? end(element.dataset.id) : set(preset.fault)));
  return add(element, make("b", "", preset.title), make("span", "soft", preset.says));
}));

