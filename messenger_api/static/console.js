// Elements with an id and data-live="SECONDS" are kept fresh: the page is asked for again, and their content
// replaced. Nothing is asked while nobody looks, nor while somebody is at work in the element.
"use strict";

async function refresh(element) {
  if (document.hidden || element.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(element.id);
  if (!fresh) location.reload(); // the session is over
  else element.replaceChildren(...fresh.childNodes);
}

for (const element of document.querySelectorAll("[data-live]")) {
  setInterval(() => refresh(element).catch(() => {}), 1000 * element.dataset.live);
}
