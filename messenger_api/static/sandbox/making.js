// What the sandbox's page is made of: elements, numbers with the names of users, times.
// Everything that came over the wire is put in with textContent, never as HTML.

// Names of the users by their addresses.
export let names = new Map();
export function learn(users) {
  names = new Map(users.filter((user) => user.name).map((user) => [user.address, user.name]));
}

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function add(parent, ...children) {
  parent.append(...children.filter(Boolean));
  return parent;
}

export const plus = (address) => (/^\d{7,15}$/.test(address) ? "+" + address : address);
export const known = (address) => names.get(address) || plus(address);
export const both = (address) => [names.get(address), plus(address)].filter(Boolean).join(", ");
export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export function ago(seconds) {
  const past = Math.max(0, Math.floor(Date.now() / 1000 - seconds));
  if (past < 5) return "now";
  if (past < 60) return `${past} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}

export function duration(seconds) {
  for (const [size, one, many] of [[86400, "day", "days"], [3600, "hour", "hours"], [60, "minute", "minutes"]]) {
    if (seconds >= size) return plural(Math.round(seconds / size), one, many);
  }
  return plural(seconds, "second", "seconds");
}

export function clock(seconds) {
  const element = make("time", "", ago(seconds));
  const date = new Date(seconds * 1000);
  element.dateTime = date.toISOString();
  element.title = date.toLocaleString();
  element.dataset.seconds = seconds;
  return element;
}

// A number, and the name of the user who has it.
export function who(address) {
  const name = names.get(address);
  return add(make("span", "both"), name && make("span", "who", name), make("span", "number", plus(address)));
}
