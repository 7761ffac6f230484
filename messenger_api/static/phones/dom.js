// Elements without markup: all that came over the wire is put in as text.

// An element by a selector, h("b.name"), with attributes and listeners, if given, and children.
export function h(selector, ...children) {
  const given = children[0]?.constructor === Object ? children.shift() : {};
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(3).filter((child) => child || child === 0));
  return element;
}

export const plus = (number) => (/^\d{7,15}$/.test(number) ? `+${number}` : number);

export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
