// A call (ops-request.js) as a program in each of six languages. Every text of the call goes through the language's `text`.

export const LANGUAGES = {
  curl: { title: "curl", write: curl, text: shell },
  kotlin: { title: "Kotlin", write: kotlin, text: kotlinText },
  swift: { title: "Swift", write: swift, text: swiftText },
  javascript: { title: "JavaScript", write: javascript, text: javascriptText },
  python: { title: "Python", write: python, text: pythonText },
  php: { title: "PHP", write: php, text: phpText },
};

export const written = (language, call) => LANGUAGES[language].write(call);

// Texts

// Control and format characters, line ends of Unicode, and halves of pairs: not to be seen, or not to be copied.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text, special, escape) {
  const marked = text.replace(special, (char) => `\\${char}`);
  return `"${marked.replace(UNSEEN, (char) => SHORT[char] ?? escape(char.codePointAt(0), char))}"`;
}

const hex = (number, digits) => number.toString(16).padStart(digits, "0");
const units = (text) => Array.from({ length: text.length }, (_, at) => `\\u${hex(text.charCodeAt(at), 4)}`).join("");
const braced = (number) => `\\u{${hex(number, 1)}}`;

function shell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
function kotlinText(text) {
  return quoted(text, /[\\"$]/g, (_, char) => units(char));
}
function swiftText(text) {
  return quoted(text, /[\\"]/g, braced);
}
function javascriptText(text) {
  return quoted(text, /[\\"]/g, braced);
}
function pythonText(text) {
  return quoted(text, /[\\"]/g, (number) => (number > 0xffff ? `\\U${hex(number, 8)}` : `\\u${hex(number, 4)}`));
}
function phpText(text) {
  return quoted(text, /[\\"$]/g, braced);
}

// A value of JSON: a text, a whole number, or a list of texts between two brackets.
function value(given, text, open = "[", close = "]") {
  if (Array.isArray(given)) return open + given.map(text).join(", ") + close;
  return typeof given === "number" ? String(given) : text(given);
}

// Names and values, each on a line of its own.
function pairs(fields, text, colon, indent, of = (given) => value(given, text)) {
  return fields.map(([name, given]) => `${indent}${text(name)}${colon}${of(given)},\n`).join("");
}

// curl

function curl({ url, encoding, fields, file }) {
  const option = { get: "--data-urlencode", form: "--data-urlencode", parts: "--form-string" }[encoding];
  const lines = [encoding === "get" ? `curl -G ${shell(url)}` : `curl ${shell(url)}`];
  if (encoding === "json") {
    lines.push(`-H ${shell("Content-Type: application/json")}`);
    lines.push(`--data-raw ${shell(JSON.stringify(Object.fromEntries(fields)))}`);
  } else {
    for (const [name, given] of fields) lines.push(`${option} ${shell(`${name}=${given}`)}`);
  }
  if (file) lines.push(`-F ${shell(`${file.field}=@${file.name};type=${file.type}`)}`);
  return lines.join(" \\\n  ");
}

// Python, with requests

function python({ url, encoding, fields, file }) {
  const text = pythonText;
  const argument = { get: "params", form: "data", parts: "files", json: "json" }[encoding];
  const of = encoding === "parts" ? (given) => `(None, ${text(given)})` : undefined;
  let body = pairs(fields, text, ": ", "        ", of);
  if (file) body += `        ${text(file.field)}: (${text(file.name)}, open(${text(file.name)}, "rb"), ${text(file.type)}),\n`;
  return `import requests

answer = requests.${encoding === "get" ? "get" : "post"}(
    ${text(url)},
    ${argument}={
${body}    },
    timeout=30,
)
print(answer.json())`;
}

// JavaScript

function javascript({ url, encoding, fields, file }) {
  const text = javascriptText;
  const object = (indent) => `{\n${pairs(fields, text, ": ", `${indent}  `)}${indent}}`;
  const end = "\nconsole.log(await answer.json());";
  if (encoding === "get") {
    return `const query = new URLSearchParams(${object("")});\nconst answer = await fetch(${text(url)} + "?" + query);${end}`;
  }
  if (encoding === "form") {
    return `const answer = await fetch(${text(url)}, {
  method: "POST",
  body: new URLSearchParams(${object("  ")}),
});${end}`;
  }
  if (encoding === "json") {
    return `const answer = await fetch(${text(url)}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(${object("  ")}),
});${end}`;
  }
  const appended = fields.map(([name, given]) => `form.append(${text(name)}, ${text(given)});\n`).join("");
  const chosen = file ? `form.append(${text(file.field)}, document.querySelector("input[type=file]").files[0]);\n` : "";
  return `const form = new FormData();
${appended}${chosen}const answer = await fetch(${text(url)}, { method: "POST", body: form });${end}`;
}

// PHP, with its extension curl

function php({ url, encoding, fields, file }) {
  const text = phpText;
  let body = pairs(fields, text, " => ", "    ");
  if (file) body += `    ${text(file.field)} => new CURLFile(${[file.name, file.type, file.name].map(text).join(", ")}),\n`;
  const given = { get: "", form: "http_build_query($fields)", parts: "$fields", json: "json_encode($fields)" }[encoding];
  const options = ["    CURLOPT_RETURNTRANSFER => true,\n"];
  if (encoding === "json") options.push('    CURLOPT_HTTPHEADER => ["Content-Type: application/json"],\n');
  if (given) options.push(`    CURLOPT_POSTFIELDS => ${given},\n`);
  return `<?php
$fields = [
${body}];
$curl = curl_init(${text(url)}${encoding === "get" ? ' . "?" . http_build_query($fields)' : ""});
curl_setopt_array($curl, [
${options.join("")}]);
print_r(json_decode(curl_exec($curl), true));`;
}

// Kotlin, with OkHttp, and org.json as Android has it

function kotlin({ url, encoding, fields, file }) {
  const text = kotlinText;
  const calls = (name, of = text) => fields.map(([field, given]) => `    .${name}(${text(field)}, ${of(given)})\n`).join("");
  const imports = ["okhttp3.OkHttpClient", "okhttp3.Request"];
  let made;
  if (encoding === "get") {
    imports.unshift("okhttp3.HttpUrl.Companion.toHttpUrl");
    made = `val address = ${text(url)}.toHttpUrl().newBuilder()\n${calls("addQueryParameter")}    .build()
val request = Request.Builder().url(address).build()`;
  } else {
    made = `${kotlinBody(encoding, text, calls, file, imports)}
val request = Request.Builder().url(${text(url)}).post(body).build()`;
  }
  const imported = imports.sort().map((name) => `import ${name}\n`).join("");
  return `${imported}
${made}
OkHttpClient().newCall(request).execute().use { answer ->
    println(answer.body!!.string())
}`;
}

function kotlinBody(encoding, text, calls, file, imports) {
  if (encoding === "form") {
    imports.push("okhttp3.FormBody");
    return `val body = FormBody.Builder()\n${calls("add")}    .build()`;
  }
  if (encoding === "json") {
    const lists = (given) => value(given, text, "JSONArray(listOf<String>(", "))");
    const made = calls("put", lists);
    imports.push("okhttp3.MediaType.Companion.toMediaType", "okhttp3.RequestBody.Companion.toRequestBody", "org.json.JSONObject");
    if (made.includes("JSONArray(")) imports.push("org.json.JSONArray");
    return `val json = JSONObject()\n${made}val body = json.toString().toRequestBody("application/json".toMediaType())`;
  }
  imports.push("okhttp3.MultipartBody");
  let parts = calls("addFormDataPart");
  if (file) {
    imports.push("java.io.File", "okhttp3.MediaType.Companion.toMediaType", "okhttp3.RequestBody.Companion.asRequestBody");
    const data = `File(${text(file.name)}).asRequestBody(${text(file.type)}.toMediaType())`;
    parts += `    .addFormDataPart(${text(file.field)}, ${text(file.name)}, ${data})\n`;
  }
  return `val body = MultipartBody.Builder()\n    .setType(MultipartBody.FORM)\n${parts}    .build()`;
}

// Swift, with URLSession

function swift({ url, encoding, fields, file }) {
  const text = swiftText;
  const body = { get: () => "", form: swiftForm, parts: swiftParts, json: swiftJson }[encoding](fields, text, file);
  const address = encoding === "get" ? `${swiftItems(fields, text, url)}
let request = URLRequest(url: address.url!)` : `var request = URLRequest(url: URL(string: ${text(url)})!)
request.httpMethod = "POST"`;
  return `import Foundation

${address}
${body}let (data, _) = try await URLSession.shared.data(for: request)
print(String(decoding: data, as: UTF8.self))`;
}

// URLComponents leaves a plus as it is, which servers read as a blank.
function swiftItems(fields, text, url) {
  const items = fields.map(([name, given]) => `    URLQueryItem(name: ${text(name)}, value: ${text(given)}),\n`).join("");
  return `var address = URLComponents(${url ? `string: ${text(url)}` : ""})${url ? "!" : ""}
address.queryItems = [
${items}]
address.percentEncodedQuery = address.percentEncodedQuery!.replacingOccurrences(of: "+", with: "%2B")`;
}

function swiftForm(fields, text) {
  return `request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
${swiftItems(fields, text, "")}
request.httpBody = Data(address.percentEncodedQuery!.utf8)
`;
}

function swiftJson(fields, text) {
  return `request.setValue("application/json", forHTTPHeaderField: "Content-Type")
let fields: [String: Any] = [
${pairs(fields, text, ": ", "    ", (given) => value(given, text, "[", given.length ? "]" : "] as [String]"))}]
request.httpBody = try JSONSerialization.data(withJSONObject: fields)
`;
}

function swiftParts(fields, text, file) {
  const named = fields.map(([name, given]) => `    (${text(name)}, ${text(given)}),\n`).join("");
  const last = file ? `let head = "Content-Disposition: form-data; name=\\"${file.field}\\"; filename=\\"${file.name}\\""
body.append(Data("--\\(boundary)\\r\\n\\(head)\\r\\nContent-Type: ${file.type}\\r\\n\\r\\n".utf8))
body.append(try Data(contentsOf: URL(fileURLWithPath: ${text(file.name)})))
body.append(Data("\\r\\n".utf8))
` : "";
  return `let boundary = UUID().uuidString
request.setValue("multipart/form-data; boundary=\\(boundary)", forHTTPHeaderField: "Content-Type")
let fields = [
${named}]
var body = Data()
for (name, value) in fields {
    let head = "Content-Disposition: form-data; name=\\"\\(name)\\""
    body.append(Data("--\\(boundary)\\r\\n\\(head)\\r\\n\\r\\n\\(value)\\r\\n".utf8))
}
${last}body.append(Data("--\\(boundary)--\\r\\n".utf8))
request.httpBody = body
`;
}
