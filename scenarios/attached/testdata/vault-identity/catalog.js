// catalog checks tokens with what node has, and a key set that it fetches each REFRESH seconds.
const http = require("http"), crypto = require("crypto");
const jwks = process.env.JWKS_URI, every = Number(process.env.REFRESH || 15) * 1000;
let keys = new Map();
async function fetchKeys() {
  try {
    const set = await (await fetch(jwks)).json();
    keys = new Map(set.keys.map((k) => [k.kid, crypto.createPublicKey({ key: k, format: "jwk" })]));
  } catch (e) { console.error("jwks:", e.message); }
}
function check(token) {
  const [h, p, s] = token.split(".");
  const header = JSON.parse(Buffer.from(h, "base64url")), claims = JSON.parse(Buffer.from(p, "base64url"));
  const key = keys.get(header.kid);
  if (!key || header.alg !== "ES256") return "no key for " + header.kid;
  if (!crypto.verify("sha256", Buffer.from(h + "." + p), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(s, "base64url"))) return "bad signature";
  return claims.exp * 1000 > Date.now() ? "" : "expired";
}
fetchKeys().then(() => {
  setInterval(fetchKeys, every);
  http.createServer((req, res) => {
    if (req.url === "/healthz") return res.end("ok");
    let why = "no token";
    try { why = check((req.headers.authorization || "").replace(/^Bearer /, "")); } catch (e) { why = e.message; }
    if (why) console.error("401", why);
    res.writeHead(why ? 401 : 200, { "Content-Type": "application/json" });
    res.end(JSON.stringify(why ? { error: why } : { items: [] }));
  }).listen(Number(process.env.PORT), "127.0.0.1");
});
