// Requests of the sandbox's page. Where they go is on the page.

export const at = document.getElementById("acts").dataset;
export const JSON_TYPE = { "Content-Type": "application/json" };

// What keeps something from being done, as people are told.
export class Refused extends Error {}

// The JSON of an answer.
export async function ask(url, options) {
  const answer = await fetch(url, options).catch(() => { throw new Refused("The server does not answer."); });
  return answer.json().catch(() => { throw new Refused(`The server answers ${answer.status}.`); });
}
