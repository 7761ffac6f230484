// An app on a pretend phone: what it keeps, what it asks the private API for, and what mesibo brings it.

import { DIALECTS } from "./dialects.js";
import { NoConnection } from "./wire.js";

const EVERY = 600;
const ARRIVING = 900; // a text is read before its code is in the field
const RETRY = 3000;
const UPDATE = 1; // the type of an update message
const NO_CONNECTION = ["No internet connection", "Check the connection and try again."];
const ELSEWHERE = ["4915550100200", "14155550188"]; // in the phone book, and not on the messenger

const fresh = () => ({
  token: "", cc: "", upload: "", profile: {}, contacts: {}, groups: {}, newest: 0, heard: 0,
  chats: {}, unread: {}, sent: [], screen: "login", at: "",
});

export class Phone extends EventTarget {
  constructor(id, owner, wire) {
    super();
    Object.assign(this, { id, wire, peer: null, busy: false, note: null, offline: false });
    const kept = sessionStorage.getItem(`phone-${id}`);
    this.s = kept ? JSON.parse(kept) : { ...fresh(), ...owner };
  }

  get dialect() {
    return DIALECTS[this.s.dialect];
  }

  changed() {
    sessionStorage.setItem(`phone-${this.id}`, JSON.stringify(this.s));
    this.dispatchEvent(new Event("changed"));
  }

  go(screen, at = "") {
    Object.assign(this.s, { screen, at });
    if (screen === "chat") this.#seen();
    this.changed();
  }

  // The private API

  // Send a request; a failure is shown to the person, and a dead token ends the session as in all apps. What comes
  // after the end of the session that asked is of no use to the next one.
  async #call(op, request) {
    const { s } = this;
    this.busy = true;
    this.changed();
    try {
      const answer = await this.wire.send(this.id, op, request);
      if (s !== this.s) return null;
      if (answer.result === "OK" || answer.result === true) return answer;
      if (answer.error === "AUTHFAIL") this.#forget("The server does not know this session.");
      else this.alert(answer.errtitle || "It did not work", answer.errmsg || `The server says ${answer.error}.`);
    } catch (error) {
      if (!(error instanceof NoConnection)) throw error;
      this.alert(...NO_CONNECTION);
    } finally {
      this.busy = false;
      this.changed();
    }
    return null;
  }

  #ask(op, fields) {
    const token = this.s.token ? { token: this.s.token } : {};
    return this.#call(op, this.dialect.send({ op, ...token, ...fields }));
  }

  alert(title, text) {
    this.note = { title, text };
    this.changed();
  }

  // Log in

  async askForCode(number, name) {
    const before = await this.wire.texts(1).catch(() => null);
    if (!before) return this.alert(...NO_CONNECTION);
    Object.assign(this.s, { number: number.replace(/\D/g, ""), name, texts: before.sms[0]?.id || 0, code: "" });
    const answer = await this.#ask("login", { phone: this.s.number, ...this.dialect.identity, ...(name ? { name } : {}) });
    if (!answer) return;
    this.s.again = Date.now() + 1000 * (answer.retry_after || 30);
    this.go("code");
  }

  async enterCode(code) {
    this.s.code = code;
    const answer = await this.#ask("login", { phone: this.s.number, ...this.dialect.identity, [this.dialect.code]: code });
    if (!answer) return;
    const { token, cc, phone, urls } = answer;
    // Of the address the path: the page may call no other host.
    Object.assign(this.s, { token, cc, number: phone, upload: new URL(urls.upload).pathname, profile: mine(answer) });
    this.go("home");
    if (!answer.name && this.s.name) await this.saveProfile(this.s.name, "");
    if (this.s.token) await this.sync();
    await this.peer.meet();
  }

  // The other phone has a number that is not in this phone book yet.
  async meet() {
    if (this.s.token && !this.s.book?.includes(this.peer.s.number)) await this.sync();
  }

  async #lookForText() {
    const { sms } = await this.wire.texts(20);
    const text = sms.find((each) => each.to === this.s.number && each.id > this.s.texts);
    const code = text && (text.text.match(/\b\d{4,10}\b/) || [])[0];
    if (!code) return;
    this.s.texts = text.id;
    this.banner("Messages", text.text);
    await new Promise((done) => setTimeout(done, ARRIVING));
    await this.enterCode(code);
  }

  async logOut() {
    if (await this.#ask("logout", {})) this.#forget();
  }

  #forget(why) {
    const { number, name, dialect } = this.s;
    this.s = { ...fresh(), number, name, dialect };
    this.changed();
    if (why) this.alert("You are logged out", `${why} Log in again.`);
  }

  // Ends the session behind the phone's back, as another device's "log out everywhere" does. The phone learns it when
  // it next asks the server: mesibo takes its token while the number has another session.
  async killToken() {
    if (await this.#ask("logout", {})) await this.sync();
  }

  // Contacts, profile, groups

  // Send the phone book, then ask what else changed. Listen before: what changes later comes as a message.
  async sync() {
    const { s } = this;
    const numbers = [this.peer.s.number, ...ELSEWHERE];
    s.behind = true;
    await this.wire.chat(this.id, s.token, `/sandbox/chat?after=${s.heard}`).catch(() => {});
    if (s !== this.s) return;
    const phones = numbers.map((number) => this.dialect.written(number, this.s.cc));
    if (!this.#learn(await this.#ask("getcontacts", { ts: 0, phones, reset: 1, hidden: 0 }))) return;
    if (!this.#learn(await this.#ask("getcontacts", { ts: this.s.newest, hidden: 0 }))) return;
    Object.assign(this.s, { behind: false, book: numbers });
    this.changed();
  }

  #learn(answer) {
    for (const entry of answer?.contacts || []) {
      this.#keep(entry);
      this.s.newest = Math.max(this.s.newest, Number(entry.ts));
    }
    if (answer) this.s.profile = mine(answer.u);
    return answer;
  }

  #keep(entry) {
    const gid = Number(entry.gid);
    if (!gid) {
      if (entry.phone !== this.s.number) this.s.contacts[entry.phone] = mine(entry);
      return;
    }
    const [admins, ...members] = entry.members.split(/[:,]/).filter(Boolean);
    if (!members.includes(this.s.number)) delete this.s.groups[gid];
    else this.s.groups[gid] = { ...mine(entry), members, admins: members.slice(0, Number(admins)) };
    if (!this.s.groups[gid] && this.s.at === `g${gid}`) this.go("home");
  }

  async saveProfile(name, status) {
    const answer = await this.#ask("profile", { name, status, gid: 0 });
    if (!answer) return false;
    this.s.profile = mine(answer);
    this.s.name = answer.name;
    this.changed();
    return true;
  }

  async savePicture(photo, gid = 0) {
    const answer = await this.#call("upload", this.dialect.upload(this.s.upload, this.s.token, gid, photo));
    if (!answer) return;
    if (gid) this.#keep(answer);
    else this.s.profile = { ...this.s.profile, tn: answer.tn };
    this.changed();
  }

  async makeGroup(name, m, photo) {
    const fields = { op: "setgroup", token: this.s.token, gid: 0, name, m };
    const whole = this.dialect.group;
    const answer = await this.#call("setgroup", whole ? whole(fields, photo) : this.dialect.send(fields));
    if (!answer) return;
    this.#keep(answer);
    this.#notice(`g${answer.gid}`, `You made the group ${answer.name}`);
    this.go("chat", `g${answer.gid}`);
    if (photo && !whole) await this.savePicture(photo, answer.gid);
  }

  async leaveGroup(gid) {
    if (!(await this.#ask("delgroup", { gid }))) return;
    delete this.s.groups[gid];
    this.go("home");
  }

  // Chats. A chat is named by u and a number, or g and a group's id.

  whose(chat) {
    return (chat[0] === "g" ? this.s.groups : this.s.contacts)[chat.slice(1)] || {};
  }

  nameOf(number) {
    return number === this.s.number ? "You" : this.s.contacts[number]?.name || `+${number}`;
  }

  say(chat, text) {
    this.#add(chat, { mine: true, text, time: Date.now() / 1000, state: "waiting" });
    this.changed();
    return this.#sendWaiting();
  }

  #add(chat, message) {
    (this.s.chats[chat] ||= []).push(message);
  }

  #notice(chat, text) {
    this.#add(chat, { notice: true, text, time: Date.now() / 1000 });
  }

  async #sendWaiting() {
    const { s } = this;
    if (this.sending) return;
    this.sending = true;
    try {
      for (const [chat, messages] of Object.entries(s.chats)) {
        for (const message of messages.filter((each) => each.mine && each.state === "waiting")) {
          const to = chat[0] === "g" ? { gid: Number(chat.slice(1)) } : { to: chat.slice(1) };
          const answer = await this.wire.chat(this.id, s.token, "/sandbox/chat", { ...to, text: message.text });
          if (s !== this.s) return;
          if (answer.result) Object.assign(message, { mid: answer.mid, state: "sent" });
          else if (answer.error === "BADVALUE") message.state = "failed";
          else return;
          this.changed();
        }
      }
    } catch {
      // it stays, and is sent when mesibo is there again
    } finally {
      this.sending = false;
    }
  }

  // What is open on the screen has been read.
  #seen() {
    const chat = this.s.at;
    if (this.s.screen !== "chat" || document.hidden) return;
    delete this.s.unread[chat];
    const read = (this.s.chats[chat] || []).filter((each) => each.mid && !each.mine && !each.seen);
    if (!read.length) return;
    const told = ({ result }) => read.forEach((each) => { each.seen = result; });
    const mids = read.map((each) => each.mid);
    this.wire.chat(this.id, this.s.token, "/sandbox/chat/read", { mids }).then(told).catch(() => {}); // else told again
  }

  async #listen() {
    const { s } = this;
    const answer = await this.wire.chat(this.id, s.token, `/sandbox/chat?after=${s.heard}`);
    if (s !== this.s) return;
    if (answer.error === "AUTHFAIL") return this.#forget("mesibo does not take this token any more.");
    if (!answer.result) throw new NoConnection(answer.error);
    let news = this.offline || answer.messages.length > 0;
    this.offline = false;
    for (const message of answer.messages) this.#receive(message);
    for (const receipt of answer.receipts) news = this.#tick(receipt) || news;
    this.#seen();
    if (news) this.changed();
    this.#sendWaiting();
    if (this.s.behind && !this.busy && Date.now() > (this.tried || 0) + RETRY) {
      this.tried = Date.now();
      await this.sync();
    }
  }

  #tick({ mid, waiting, delivered }) {
    const message = Object.values(this.s.chats).flat().find((each) => each.mine && each.mid === mid);
    const state = waiting.length ? "sent" : delivered.length ? "delivered" : "read";
    if (!message || message.state === state) return false;
    message.state = state;
    return true;
  }

  #receive(message) {
    this.s.heard = message.mid;
    if (message.type === UPDATE) return this.#update(JSON.parse(message.text));
    const chat = message.gid ? `g${message.gid}` : `u${message.from}`;
    if (!message.gid && !this.s.contacts[message.from]) this.s.contacts[message.from] = { name: "" };
    this.#add(chat, { mid: message.mid, from: message.from, text: message.text, time: message.time });
    if (this.s.screen === "chat" && this.s.at === chat) return;
    this.s.unread[chat] = (this.s.unread[chat] || 0) + 1;
    this.banner(message.gid ? this.whose(chat).name : this.nameOf(message.from), message.text);
  }

  // An update message of the private API: somebody's profile, or a group.
  #update(news) {
    this.#keep(news);
    if (!news.subject) return;
    const named = (text) => text.replaceAll("%NAME%", news.name || `+${news.phone}`);
    this.#notice(Number(news.gid) ? `g${news.gid}` : `u${news.phone}`, named(news.subject));
    this.banner(named(news.subject), named(news.msg));
  }

  banner(title, text) {
    this.dispatchEvent(new CustomEvent("banner", { detail: { title, text } }));
  }

  // Ask mesibo, or look for the text message, again and again.
  async run() {
    try {
      if (this.s.token) await this.#listen();
      else if (this.s.screen === "code" && !this.busy && !this.s.code) await this.#lookForText();
    } catch {
      if (!this.offline) {
        this.offline = true;
        this.changed();
      }
    }
    setTimeout(() => this.run(), EVERY);
  }
}

const mine = ({ name = "", status = "", tn = "" }) => ({ name, status, tn });
