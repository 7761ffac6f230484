// Buttons that copy: <button data-copy="ID"> copies the text of the element with this id.

// Browsers offer the clipboard on https and on this machine only; the old way works everywhere else.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.className = "hide";
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

// Copies a text; the element `label`, which says "Copy", tells for a moment what came of it.
export async function copy(text, label) {
  try {
    await write(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Not copied";
  }
  setTimeout(() => { label.textContent = "Copy"; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  copy(text, button.querySelector("[data-label]") || button);
});
