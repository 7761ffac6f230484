// A call of the API in one intermediate form, which snippets are written from and which is sent:
// { url, encoding, fields: [[name, value], …], file }. `encoding` is one of ENCODINGS. A value is a text; in JSON also
// a whole number, or a list of texts. `file` is { field, name, type, data }, in a form of parts alone.

export const ENCODINGS = { get: "GET", form: "Form", parts: "Multipart", json: "JSON" };

// What a field may be called here: no language needs quotes around it, nor does curl.
export const FIELD_NAME = /^[A-Za-z][\w.[\]-]{0,39}$/;

const WHOLE = /^-?(?:0|[1-9]\d{0,14})$/;

// `given`: [{ name, text, type }], type "number", "list" or "text". The last one of a name counts.
export function request(url, encoding, given, file) {
  const fields = new Map();
  for (const { name, text, type } of given) fields.set(name, encoding === "json" ? member(text, type) : text);
  return { url, encoding, fields: [...fields], file: (encoding === "parts" && file) || null };
}

function member(text, type) {
  if (type === "number" && WHOLE.test(text.trim())) return Number(text);
  if (type === "list") return text.split(",").map((part) => part.trim()).filter(Boolean);
  return text;
}

// What `fetch` takes.
export function fetched({ url, encoding, fields, file }) {
  if (encoding === "get") return [`${url}?${new URLSearchParams(fields)}`, {}];
  if (encoding === "form") return [url, { method: "POST", body: new URLSearchParams(fields) }];
  if (encoding === "json") {
    const headers = { "Content-Type": "application/json" };
    return [url, { method: "POST", headers, body: JSON.stringify(Object.fromEntries(fields)) }];
  }
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  if (file) body.append(file.field, file.data, file.name);
  return [url, { method: "POST", body }];
}
