// What a phone shows. A screen is a function of the phone that returns its elements and what keeps them fresh.

import { clock, h, plus } from "./dom.js";
import { drawn } from "./drawn.js";

const TICKS = { waiting: ["◷", "waiting"], sent: ["✓", "sent"], delivered: ["✓✓", "delivered"], read: ["✓✓", "read"], failed: ["!", "not sent"] };

export function avatar({ name, tn }, key) {
  if (tn) return h("img.avatar", { src: `data:image/jpeg;base64,${tn}`, alt: "" });
  const tint = [...String(key)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar tint${tint}`, "aria-hidden": "true" }, [...(name || "#")][0].toUpperCase());
}

const bar = (...children) => h("header.app-bar", ...children);
const back = (phone, screen = "home", at = "") =>
  h("button.icon", { "aria-label": "Back", onclick: () => phone.go(screen, at) }, "‹");
const title = (name, under = "") => h("div.title", h("h2", name), h("p", under));

function submitting(act, ...children) {
  const form = h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); act(form.elements); } }, ...children);
  return form;
}

const field = (phone, label, name, given) => {
  const id = `${phone.id}-${name}`;
  return [h("label", { for: id }, label), h("input", { id, name, autocomplete: "off", spellcheck: "false", ...given })];
};

// The elements of a list are made anew when what they show changed; the focus stays where it was.
function fresh(list, source, build) {
  const text = JSON.stringify(source);
  if (list.source === text) return false;
  list.source = text;
  const focus = list.contains(document.activeElement) && document.activeElement.dataset.key;
  list.replaceChildren(...build());
  if (focus) list.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  return true;
}

function pictures(phone, took) {
  const id = `${phone.id}-photo`;
  const file = h("input", { id, type: "file", accept: "image/*", class: "hide", onchange: () => file.files[0] && took(file.files[0]) });
  return h("div.pictures", {},
    h("button", { type: "button", class: "quiet", onclick: async () => took(await drawn()) }, "Draw a picture"),
    file, h("label", { for: id, class: "quiet" }, "Choose a file"));
}

function login(phone) {
  const { number, name } = phone.s;
  return { nodes: [
    h("div.hello", h("span.logo", { "aria-hidden": "true" }), h("h2", "Welcome"), h("p", "Log in with your phone number. A code comes as a text message.")),
    submitting((form) => phone.askForCode(form.number.value, form.name.value.trim()),
      field(phone, "Phone number", "number", { value: plus(number), inputmode: "tel", type: "tel" }),
      field(phone, "Your name", "name", { value: name, maxlength: 40 }),
      h("button.main", "Log in")),
  ] };
}

function code(phone) {
  const again = h("button", { type: "button", class: "link", onclick: () => phone.askForCode(phone.s.number, phone.s.name) });
  const waits = h("p.waits");
  const form = submitting(({ code: typed }) => phone.enterCode(typed.value),
    field(phone, "Code", "code", { inputmode: "numeric", maxlength: 10, class: "digits", placeholder: "······" }),
    h("button.main", "Go on"));
  const refresh = () => {
    const left = Math.ceil(((phone.s.again || 0) - Date.now()) / 1000);
    again.textContent = left > 0 ? `Send again in ${left} s` : "Send again";
    again.disabled = left > 0;
    waits.textContent = phone.s.code ? "" : "Waiting for the text message…";
    if (phone.s.code && !form.elements.code.value) form.elements.code.value = phone.s.code;
  };
  return { refresh, focus: form.elements.code, nodes: [
    bar(back(phone, "login"), title("Enter the code", `sent to ${plus(phone.s.number)}`)),
    h("div.page", form, waits, again),
  ] };
}

function row(phone, chat) {
  const { name, status, tn, members } = phone.whose(chat);
  const last = (phone.s.chats[chat] || []).at(-1);
  const unread = phone.s.unread[chat];
  const called = name || plus(chat.slice(1));
  const under = last ? (last.mine ? `You: ${last.text}` : last.text) : status || (members ? `${members.length} members` : "On the messenger");
  return h("li", h("button", { "data-key": chat, onclick: () => phone.go("chat", chat) },
    avatar({ name: called, tn }, chat),
    h("span.lines", h("b", called), h("span", under)),
    h("span.aside", last && h("time", clock(last.time)), unread && h("span.badge", unread, h("span.hide", " unread")))));
}

function home(phone) {
  const me = h("button.me", { "aria-label": "My profile", onclick: () => phone.go("profile") });
  const list = h("ul.chats");
  const head = h("div.title");
  const add = h("button.round", { "aria-label": "New group", onclick: () => phone.go("group") }, "+");
  const last = (chat) => phone.s.chats[chat]?.at(-1)?.time || 0;
  const refresh = () => {
    const { profile, contacts, groups, chats, unread } = phone.s;
    fresh(me, profile, () => [avatar(profile, phone.s.number)]);
    fresh(head, [profile.name, phone.offline], () => [...title("Chats", phone.offline ? "Connecting…" : `${profile.name || "No name"}, ${plus(phone.s.number)}`).children]);
    const names = [...Object.keys(groups).map((gid) => `g${gid}`), ...Object.keys(contacts).map((number) => `u${number}`)];
    fresh(list, [contacts, groups, chats, unread], () =>
      names.length ? names.sort((a, b) => last(b) - last(a)).map((chat) => row(phone, chat))
        : [h("li.none", "Nobody of the phone book is on the messenger yet. Log in on the other phone.")]);
  };
  return { refresh, nodes: [bar(me, head), list, add] };
}

function bubble(phone, message, inGroup) {
  if (message.notice) return h("li.notice-line", message.text);
  const [tick, word] = TICKS[message.state] || [];
  return h("li", { class: message.mine ? "mine" : "theirs", "data-state": message.state },
    inGroup && !message.mine && h("b", phone.nameOf(message.from)),
    h("p", message.text),
    h("span.when", clock(message.time), tick && h("span", { class: `tick ${message.state}`, role: "img", "aria-label": word, title: word }, tick)));
}

function chat(phone) {
  const key = phone.s.at;
  const inGroup = key[0] === "g";
  const list = h("ol.bubbles");
  const log = h("div.log", { tabindex: 0, role: "log", "aria-label": "Messages" }, list);
  const head = inGroup ? h("button.who", { onclick: () => phone.go("info", key) }) : h("div.who");
  const text = h("input", { name: "text", "aria-label": "Message", placeholder: "Message", autocomplete: "off", maxlength: 2000 });
  const form = submitting(() => {
    if (text.value.trim()) phone.say(key, text.value.trim());
    text.value = "";
  }, text, h("button.send", { "aria-label": "Send" }, "➤"));
  form.className = "compose";
  const refresh = () => {
    const whose = phone.whose(key);
    const name = whose.name || plus(key.slice(1));
    const under = phone.offline ? "Connecting…" : inGroup ? (whose.members || []).map((each) => phone.nameOf(each)).join(", ") : whose.status || "On the messenger";
    fresh(head, [whose, under], () => [avatar({ name, tn: whose.tn }, key), title(name, under)]);
    const messages = phone.s.chats[key] || [];
    if (fresh(list, [messages, phone.s.contacts], () => messages.map((each) => bubble(phone, each, inGroup)))) log.scrollTop = log.scrollHeight;
  };
  return { refresh, focus: text, nodes: [bar(back(phone), head), log, form] };
}

function profile(phone) {
  const { name, status } = phone.s.profile;
  const picture = h("div.big");
  const refresh = () => fresh(picture, phone.s.profile, () => [avatar(phone.s.profile, phone.s.number)]);
  return { refresh, nodes: [
    bar(back(phone), title("My profile", plus(phone.s.number))),
    h("div.page", picture, pictures(phone, (photo) => phone.savePicture(photo)),
      submitting(async (form) => (await phone.saveProfile(form.name.value.trim(), form.status.value.trim())) && phone.go("home"),
        field(phone, "Name", "name", { value: name, maxlength: 40 }),
        field(phone, "Status", "status", { value: status, maxlength: 100, placeholder: "What are you up to?" }),
        h("button.main", "Save")),
      h("button.link", { onclick: () => phone.logOut() }, "Log out")),
  ] };
}

function group(phone) {
  let photo = null;
  const picture = h("div.big", avatar({ name: "+" }, "g"));
  const contacts = Object.entries(phone.s.contacts);
  const take = (taken) => {
    photo = taken;
    const url = URL.createObjectURL(taken);
    picture.replaceChildren(h("img.avatar", { src: url, alt: "", onload: () => URL.revokeObjectURL(url) }));
  };
  return { nodes: [
    bar(back(phone), title("New group")),
    h("div.page", picture, pictures(phone, take),
      submitting((form) => {
        const chosen = contacts.map(([number]) => number).filter((number) => form[`m${number}`].checked);
        phone.makeGroup(form.name.value.trim(), chosen, photo);
      },
      field(phone, "Name of the group", "name", { maxlength: 40, value: "Weekend" }),
      h("fieldset", h("legend", "Members"), contacts.map(([number, each]) =>
        h("label.check", h("input", { type: "checkbox", name: `m${number}`, checked: true }), avatar(each, number), each.name || plus(number))),
      !contacts.length && h("p", "Nobody of the phone book is on the messenger yet.")),
      h("button.main", "Make the group"))),
  ] };
}

function info(phone) {
  const key = phone.s.at;
  const gid = Number(key.slice(1));
  const picture = h("div.big");
  const list = h("ul.members");
  const refresh = () => {
    const whose = phone.whose(key);
    fresh(picture, whose, () => [avatar(whose, key), h("h3", whose.name)]);
    fresh(list, [whose, phone.s.contacts], () => (whose.members || []).map((number) =>
      h("li", phone.nameOf(number), whose.admins.includes(number) && h("span.tag", "admin"))));
  };
  const isAdmin = phone.whose(key).admins?.includes(phone.s.number);
  return { refresh, nodes: [
    bar(back(phone, "chat", key), title("Group")),
    h("div.page", picture, isAdmin && pictures(phone, (photo) => phone.savePicture(photo, gid)), list,
      h("button.link", { onclick: () => phone.leaveGroup(gid) }, phone.whose(key).members?.[0] === phone.s.number ? "Delete the group" : "Leave the group")),
  ] };
}

const SCREENS = { login, code, home, chat, profile, group, info };

// Show a phone in an element, from now on.
export function show(phone, place) {
  const app = h("div.app");
  const note = h("div.note-place");
  const banner = h("div.banner", { role: "status" });
  place.append(app, note, banner);
  let at = "", screen = {}, hiding;

  phone.addEventListener("banner", ({ detail }) => {
    banner.replaceChildren(h("b", detail.title), h("span", detail.text));
    banner.classList.add("shown");
    clearTimeout(hiding);
    hiding = setTimeout(() => banner.classList.remove("shown"), 4000);
  });

  function refresh() {
    const wanted = `${phone.s.screen} ${phone.s.at}`;
    if (wanted !== at) {
      const had = app.contains(document.activeElement);
      at = wanted;
      screen = SCREENS[phone.s.screen](phone);
      app.replaceChildren(...screen.nodes);
      app.dataset.screen = phone.s.screen;
      screen.refresh?.();
      if (had) (screen.focus || app.querySelector("input, button"))?.focus();
    }
    screen.refresh?.();
    app.ariaBusy = String(phone.busy);
    if (note.shown !== phone.note) warn();
  }

  function warn() {
    const had = place.contains(document.activeElement);
    note.shown = phone.note;
    note.replaceChildren();
    app.inert = Boolean(phone.note);
    if (phone.note) {
      const { title: name, text } = phone.note;
      const close = () => { phone.note = null; phone.changed(); };
      note.append(h("div.note", { role: "alertdialog", "aria-label": name, onkeydown: ({ key }) => key === "Escape" && close() },
        h("b", name), h("p", text), h("button.main", { onclick: close }, "OK")));
    }
    if (had) (note.querySelector("button") || screen.focus || app.querySelector("input, button"))?.focus();
  }

  phone.addEventListener("changed", refresh);
  setInterval(() => phone.s.screen === "code" && screen.refresh(), 500);
  refresh();
}
