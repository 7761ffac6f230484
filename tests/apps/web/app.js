// The example web app: plain JavaScript on a page of another origin than the server's.
// Its address says where the server is: index.html?api=http://host/
"use strict";

const API = new URLSearchParams(location.search).get("api");
const APPID = "com.example.messenger.web";
const find = (selector) => document.querySelector(selector);

let pending = 0;
let session = { token: "", phone: "", urls: {} };
let store = { newest: 0, profile: {}, contacts: new Map(), groups: new Map(), notices: [] };

// Calls

function send(address, body, headers, done) {
  const request = new XMLHttpRequest();
  request.open("POST", address);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.onload = () => answered(request, done);
  request.onerror = () => warn("No answer");
  request.onloadend = () => busy(-1); // after onload, which may have sent the next one
  busy(+1);
  request.send(body);
}

function busy(change) {
  pending += change;
  document.body.ariaBusy = String(pending > 0);
}

function answered(request, done) {
  if (request.status !== 200) return warn("No answer");
  const answer = JSON.parse(request.responseText);
  if (answer.result === "OK") {
    warn("");
    return done(answer);
  }
  if (answer.error === "AUTHFAIL") forget();
  warn(answer.error + ": " + (answer.errmsg || ""));
}

function call(op, fields, done) {
  const body = JSON.stringify({ op, token: session.token, ...fields });
  send(API, body, { "Content-type": "application/json" }, done);
}

function upload(photo, gid, done) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ op: "upload", token: session.token, profile: 1, gid })) {
    form.append(name, value);
  }
  form.append("photo", photo, photo.name);
  send(session.urls.upload, form, {}, done);
}

// The session

function login(form) {
  const fields = { appid: APPID, phone: form.phone.value, name: form.name.value, dt: 4 };
  if (!form.otp.value) {
    return call("login", fields, () => {
      find("#code-line").hidden = false;
    });
  }
  call("login", { ...fields, otp: form.otp.value }, (answer) => {
    session = { token: answer.token, phone: answer.phone, urls: answer.urls };
    store.profile = answer;
    show();
  });
}

function forget() {
  session = { token: "", phone: "", urls: {} };
  store = { newest: 0, profile: {}, contacts: new Map(), groups: new Map(), notices: [] };
  find("#code-line").hidden = true;
  find("#login").reset();
  show();
}

// Syncs and messages

function sync(phones, done = () => {}) {
  call("getcontacts", { ts: store.newest, phones, hidden: 0 }, (answer) => {
    store.profile = answer.u;
    for (const entry of answer.contacts) {
      keep(entry);
      store.newest = Math.max(store.newest, Number(entry.ts));
    }
    show();
    done();
  });
}

function keep(entry) {
  const gid = Number(entry.gid);
  if (!gid) return store.contacts.set(entry.phone, entry);
  const [admins, ...members] = entry.members.split(/[:,]/).filter(Boolean);
  if (members.includes(session.phone)) {
    store.groups.set(gid, { ...entry, members, admins: members.slice(0, Number(admins)) });
  } else {
    store.groups.delete(gid);
  }
}

// What mesibo's JavaScript API would call with the text of a message.
function received(text) {
  const message = JSON.parse(text);
  keep(message);
  if (message.subject) store.notices.push(message.subject.replace("%NAME%", message.name));
  show();
}

// The screen

function warn(text) {
  find("#alert").textContent = text;
}

function show() {
  find("#login").hidden = Boolean(session.token);
  find("#app").hidden = !session.token;
  find("#me").textContent = session.phone;
  find("#my-photo").replaceChildren(...picture(store.profile.photo));
  list("#contacts", store.contacts.values(), (c) => `${c.phone} ${c.name} ${c.status}`);
  list("#groups", store.groups.values(), (g) => `${g.name}: ${g.members} (admins: ${g.admins})`);
  list("#notices", store.notices, (notice) => notice);
}

function list(selector, entries, text) {
  const items = Array.from(entries, (entry) => {
    const item = document.createElement("li");
    item.append(text(entry), ...picture(entry.photo));
    return item;
  });
  find(selector).replaceChildren(...items);
}

function picture(name) {
  if (!name) return [];
  const image = document.createElement("img");
  image.src = session.urls.download + name;
  image.alt = name;
  return [image];
}

function on(selector, event, act) {
  find(selector).addEventListener(event, (happened) => {
    happened.preventDefault();
    act(happened.target.elements);
  });
}

on("#login", "submit", login);
on("#logout", "click", () => call("logout", {}, forget));
on("#profile", "submit", (form) => {
  call("profile", { name: form.name.value, status: form.status.value, gid: "0" }, (answer) => {
    store.profile = answer;
    show();
  });
});
on("#photo", "submit", (form) => {
  upload(form.photo.files[0], 0, (answer) => {
    store.profile = answer;
    show();
  });
});
on("#sync", "submit", (form) => {
  const phones = form.phones.value.split(/\s+/).filter(Boolean);
  if (phones.length) sync(phones, () => sync([]));
  else sync([]);
});
on("#group", "submit", (form) => {
  call("setgroup", { gid: 0, name: form.name.value, m: form.m.value }, ({ gid }) => {
    upload(form.photo.files[0], gid, (answer) => {
      keep(answer);
      show();
    });
  });
});
