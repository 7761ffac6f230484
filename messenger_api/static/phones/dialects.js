// The five generations of apps: what each sends for the same wish. A request is { path, type, body, shown }.

const APPID = "com.example.messenger";
const JSON_TYPE = "application/json";

// Bodies

const listed = (value) => (Array.isArray(value) ? value.join(",") : String(value));

function form(path, fields) {
  const body = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, listed(value)]));
  return { path, body, type: "application/x-www-form-urlencoded", shown: String(body).replaceAll("&", "\n&") };
}

function parts(path, fields, name, file, photo) {
  const body = new FormData();
  for (const [field, value] of Object.entries(fields)) body.append(field, listed(value));
  body.append(name, photo, file);
  const lines = Object.entries(fields).map(([field, value]) => `${field}: ${listed(value)}`);
  const said = `${name}: ${file}, ${photo.type || "application/octet-stream"}, ${photo.size} bytes`;
  return { path, body, type: "multipart/form-data", shown: [...lines, said].join("\n") };
}

function json(path, fields, type, value) {
  const object = Object.fromEntries(Object.entries(fields).map(([name, given]) => [name, value(given)]));
  // A browser names no type for a Blob that has none.
  return { path, body: new Blob([JSON.stringify(object)]), type, shown: object };
}

// Uploads

const older = (path, token, gid, photo) =>
  parts(path, { op: "upload", token, mid: 0, profile: 1, gid }, "photo", "photo.jpg", photo);

// mesibo's own uploader names the token `auth`, and no type of picture.
const current = (path, token, gid, photo) =>
  parts(path, { op: "upload", auth: token, mid: 0, profile: 1, gid }, "file", "IMG_0001.jpg", new Blob([photo]));

const web = (path, token, gid, photo) =>
  parts(path, { op: "upload", token, profile: 1, gid }, "photo", "photo.jpg", photo);

const same = (number) => `+${number}`;
// Numbers of the own country stand in the phone book without its code, which becomes the text "null".
const local = (number, cc) => (cc && number.startsWith(cc) ? `null${number.slice(cc.length)}` : `+${number}`);

// A group as an older Android app makes it: in one call with its picture, name and members encoded twice.
function twice(path, fields, photo) {
  const encoded = { ...fields, status: "", name: encodeURIComponent(fields.name) };
  encoded.m = encodeURIComponent(listed(fields.m));
  return photo ? parts(path, encoded, "photo", "photo.jpg", photo) : form(path, encoded);
}

export const DIALECTS = {
  "android-current": {
    title: "Android, current",
    says: "JSON with every value as a text; uploads with auth",
    code: "otp",
    identity: { appid: APPID, dt: 1, lang: "en" },
    written: same,
    send: (fields) => json("/", fields, JSON_TYPE, listed),
    upload: current,
  },
  "ios-current": {
    title: "iOS, current",
    says: "JSON without a content type; uploads with auth",
    code: "otp",
    identity: { appid: APPID, dt: 2 },
    written: same,
    send: (fields) => json("/", fields, "", (value) => value),
    upload: current,
  },
  web: {
    title: "Web",
    says: "JSON with numbers and lists; uploads with token",
    code: "otp",
    identity: { appid: `${APPID}.web`, dt: 4 },
    written: same,
    send: (fields) => json("/api.php", fields, JSON_TYPE, (value) => value),
    upload: web,
  },
  "android-older": {
    title: "Android, older",
    says: "forms to /api.php; code in place of otp; null for the country code",
    code: "code",
    identity: { appid: APPID, dt: 1 },
    written: local,
    send: (fields) => form("/api.php", fields),
    upload: older,
    group: (fields, photo) => twice("/api.php", fields, photo),
  },
  "ios-older": {
    title: "iOS, older",
    says: "forms, and forms of parts for pictures; code in place of otp",
    code: "code",
    identity: { appid: APPID, dt: 2 },
    written: same,
    send: (fields) => form("/api.php", fields),
    upload: older,
  },
};
