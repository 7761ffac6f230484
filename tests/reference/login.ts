// Logs in to a running server with the types that quicktype made of its schemas: login.js ADDRESS NUMBER
// Prints the token. Convert checks each answer against its type, and throws where it is another.

import { Convert, type GetContactsRequest, type LoginAnswer, type LoginRequest } from "./api.js";

const [address, phone] = process.argv.slice(2);

async function ask(call: string): Promise<string> {
  const headers = { "Content-Type": "application/json" };
  return (await fetch(`${address}/api.php`, { method: "POST", headers, body: call })).text();
}

async function login(fields: Partial<LoginRequest>): Promise<LoginAnswer> {
  const call: LoginRequest = { op: "login", appid: "com.example.messenger", phone, ...fields };
  return Convert.toLoginAnswer(await ask(Convert.loginRequestToJson(call)));
}

async function newestCode(): Promise<string> {
  const texts = (await (await fetch(`${address}/sandbox/sms.json`)).json()) as { sms: { to: string; text: string }[] };
  return /\d{6}/.exec(texts.sms.find((each) => each.to === phone)!.text)![0];
}

const sent = await login({});
const entered = await login({ otp: await newestCode() });
if (sent.token !== undefined || entered.token === undefined) throw new Error("a token comes with the code alone");
const sync: GetContactsRequest = { op: "getcontacts", token: entered.token, ts: 0, phones: [phone] };
const synced = Convert.toGetContactsAnswer(await ask(Convert.getContactsRequestToJson(sync)));
if (synced.u.phone !== entered.phone) throw new Error("the sync is somebody else's");
const failed = Convert.toFailure(await ask(JSON.stringify({ op: "getcontacts", token: "x" })));
if (failed.error !== "AUTHFAIL") throw new Error(failed.error);
console.log(entered.token);
