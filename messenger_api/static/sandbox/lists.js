// The four lists: texts, messages, users, groups.
import { copy } from "../copy.js";
import { add, both, clock, duration, known, make, names, plural, plus, who } from "./making.js";

const MOST = 50; // what the server sends of each list at most
const CODE = /(?<!\d)\d{4,10}(?!\d)/;

function codeButton(code) {
  const button = make("button", "code");
  const label = make("span", "", "Copy");
  button.type = "button";
  button.setAttribute("aria-label", `Copy the code ${code}`);
  button.addEventListener("click", () => copy(code, label));
  return add(button, make("b", "", code), label);
}

function smsItem(sms) {
  const code = (sms.text.match(CODE) || [])[0];
  return add(
    make("li"),
    add(make("div", "row"), who(sms.to), make("span", "faint", sms.provider), clock(sms.time)),
    code && codeButton(code),
    make("p", "soft", sms.text),
  );
}

function facts(pairs) {
  const list = make("dl", "facts");
  for (const [name, value] of pairs) {
    if (value !== undefined && value !== null && value !== "") {
      add(list, make("dt", "", name), make("dd", "", String(value)));
    }
  }
  return list.childElementCount ? list : null;
}

function tag(text) {
  return make("span", "tag", text);
}

function members(text) {
  return String(text || "").split(":").pop().split(",").filter(Boolean).map(known).join(", ");
}

function content(message) {
  const told = message.content;
  if (!told) return [make("p", "raw", message.text)];
  const about = Number(told.gid) ? "Group update" : "Profile update";
  return [
    make("p", "subject", told.subject || about),
    told.msg ? make("p", "soft", String(told.msg)) : null,
    facts([
      [Number(told.gid) ? "group" : "name", told.name],
      ["status", told.status],
      ["members", members(told.members)],
      ["photo", told.photo],
    ]),
  ];
}

function messageItem(message) {
  const head = make("div", "row");
  const to = message.to.map(known).join(", ") || `group ${message.gid}`;
  const route = add(make("span"), make("span", "who", known(message.from)), ` \u2192 ${to}`);
  route.title = `${message.from} \u2192 ${message.to.join(", ")}`;
  add(head, route, clock(message.time));
  const body = add(make("div"), head, ...content(message), add(
    make("div", "tags"),
    message.content && message.content.subject ? tag(Number(message.content.gid) ? "group update" : "profile update") : null,
    message.flag & 4 ? tag("transient") : null,
    message.expiry ? tag(`expires in ${duration(message.expiry)}`) : null,
    tag(`type ${message.type}`),
    tag(`no. ${message.mid}`),
  ));
  const item = add(make("li"), add(make("div", "message"), body));
  if (message.content && message.content.tn) {
    const picture = make("img");
    picture.src = message.content.tn;
    picture.alt = "New photo";
    add(item.firstChild, picture);
  }
  return item;
}

function userItem(user) {
  const apps = user.appids.length ? user.appids.join(", ") : "no token";
  return add(
    make("li"),
    add(make("div", "row"), make("span", "who", user.name || "No name"), clock(user.created)),
    make("div", "number", plus(user.address)),
    make("div", "faint", user.active ? apps : `${apps}, switched off`),
  );
}

function groupItem(group) {
  return add(
    make("li"),
    add(make("div", "row"), make("span", "who", group.name || "No name"), clock(group.created)),
    make("div", "faint", `gid ${group.gid}, ${plural(group.members.length, "member", "members")}`),
    make("div", "soft", group.members.map(known).join(", ")),
  );
}

// Elements that did not change stay, so that a focus or a selection survives the next second.
function fill(id, items, key, build, first) {
  const list = document.getElementById(id);
  const old = new Map([...list.children].map((element) => [element.dataset.key, element]));
  const fresh = [];
  let before = list.firstElementChild;
  for (const item of items) {
    const name = String(item[key]);
    const source = JSON.stringify(item) + [...names].join();
    let element = old.get(name);
    if (!element || element.source !== source) {
      const built = build(item);
      built.dataset.key = name;
      built.source = source;
      if (element) {
        if (element === before) before = element.nextElementSibling;
        element.remove();
      } else if (!first) {
        built.classList.add("new");
        fresh.push(item);
      }
      element = built;
    }
    old.delete(name);
    if (element === before) before = before.nextElementSibling;
    else list.insertBefore(element, before);
  }
  for (const gone of old.values()) gone.remove();
  document.getElementById(`${id}-empty`).hidden = items.length > 0;
  document.getElementById(`${id}-count`).textContent = items.length < MOST ? items.length || "" : `newest ${items.length}`;
  return fresh;
}

function announce(texts, messages) {
  const news = texts.map((sms) => `Text message to ${both(sms.to)}: ${sms.text}`);
  if (messages.length) news.push(`${plural(messages.length, "new message", "new messages")} through mesibo`);
  if (news.length) document.getElementById("news").textContent = news.join(". ");
}

// Shows the state, and says what came since the last one.
export function showLists(state, first) {
  const texts = fill("sms", state.sms, "id", smsItem, first);
  const messages = fill("messages", state.messages, "mid", messageItem, first);
  fill("users", state.users, "uid", userItem, first);
  fill("groups", state.groups, "gid", groupItem, first);
  announce(texts, messages);
}
