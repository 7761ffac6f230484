// The sandbox's page: asks for the state every second and shows what changed.
import { offer } from "./acts.js";
import { at } from "./asking.js";
import { showFaults } from "./faults.js";
import { showLists } from "./lists.js";
import { ago, learn } from "./making.js";

const EVERY = 1000;
let shown = "";

function show(state, first) {
  learn(state.users);
  showLists(state, first);
  showFaults(state.faults);
  offer([...state.users].reverse(), state.groups);
}

function live(text, lost) {
  const pill = document.getElementById("live");
  if (pill.textContent !== text) pill.textContent = text;
  pill.classList.toggle("lost", lost);
}

async function refresh() {
  try {
    const answer = await fetch(at.state, { cache: "no-cache" });
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    if (text !== shown) show(JSON.parse(text), !shown);
    shown = text;
    live("Live", false);
  } catch {
    live("Server not reachable", true);
  }
  for (const element of document.querySelectorAll("time[data-seconds]")) {
    const text = ago(Number(element.dataset.seconds));
    if (element.textContent !== text) element.textContent = text;
  }
}

async function run() {
  if (!document.hidden) await refresh();
  setTimeout(run, EVERY);
}

run();
