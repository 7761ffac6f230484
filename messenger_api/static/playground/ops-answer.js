// An answer, member by member, each with its line from the tables of the page.

const LONG = 120;
// What is said of each member, by its path: of a success, of a failure; and those that answers of other ops have, too.
const [ofSuccess, ofFailure, shared] = [new Map(), new Map(), new Set()];
for (const row of document.querySelectorAll("tr[data-path]")) {
  const { path } = row.dataset;
  const { shape } = row.closest("table").dataset;
  const lines = shape === "Failure" ? ofFailure : ofSuccess;
  if (shape && !lines.has(path)) shared.add(path);
  if (!lines.has(path)) lines.set(path, row.cells[2].textContent);
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function shown(value) {
  const text = JSON.stringify(value);
  return text.length > LONG ? `${text.slice(0, LONG - 40)}… (${text.length.toLocaleString("en")} characters)` : text;
}

const isObject = (value) => value !== null && typeof value === "object";

function item(name, value, path, lines) {
  const head = element("div", "", element("code", "", name), " ");
  const line = lines.get(path);
  if (!isObject(value)) head.append(element("code", "value", shown(value)));
  else if (!Object.keys(value).length) head.append(element("code", "value", Array.isArray(value) ? "[]" : "{}"));
  const made = element("li", "", head);
  if (line) made.append(element("p", "soft", line));
  if (isObject(value) && Object.keys(value).length) made.append(members(value, lines, path));
  return made;
}

// The members of an answer: of a success, its own, and folded away those that answers of other ops have, too.
export function explained(answer) {
  if ("error" in answer || "code" in answer) {
    const meaning = document.querySelector(`#${CSS.escape(answer.error)} p`)?.textContent;
    return members(answer, meaning ? new Map([...ofFailure, ["error", meaning]]) : ofFailure);
  }
  const [own, common] = [{}, {}];
  for (const [name, value] of Object.entries(answer)) (shared.has(name) ? common : own)[name] = value;
  const made = document.createDocumentFragment();
  const details = element("details", "", element("summary", "", "What every success has"), members(common, ofSuccess));
  details.open = !Object.keys(own).length;
  made.append(members(own, ofSuccess), details);
  return made;
}

// A list of the members of an object, or of the entries of a list.
function members(value, lines, path = "") {
  const list = element("ul", "tree");
  for (const [name, member] of Object.entries(value)) {
    const below = Array.isArray(value) ? `${path}[]` : path ? `${path}.${name}` : name;
    list.append(item(name, member, below, lines));
  }
  return list;
}

// The strings of a header in the form of RFC 9651.
export function hints(header) {
  return [...(header ?? "").matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text.replace(/\\(.)/g, "$1"));
}

export const items = (texts) => texts.map((text) => element("li", "", text));
