// An API that speaks HTTP/2 alone, without TLS (h2c): Node's http2, with a key set that it keeps for TTL_MS.
const http = require('node:http'), http2 = require('node:http2'), crypto = require('node:crypto');

let keys = {}, fetched = -Infinity;

function keySet() {
  if (performance.now() - fetched < Number(process.env.TTL_MS)) return Promise.resolve(keys);
  return new Promise((resolve, reject) => http.get(process.env.JWKS, { headers: { 'user-agent': 'orders-h2/1' } }, (answer) => {
    let text = '';
    answer.on('data', (part) => { text += part; });
    answer.on('end', () => {
      keys = Object.fromEntries(JSON.parse(text).keys.map((k) => [k.kid, crypto.createPublicKey({ key: k, format: 'jwk' })]));
      fetched = performance.now();
      resolve(keys);
    });
  }).on('error', reject));
}

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

http2.createServer(async (req, res) => {
  let taken = false;
  try {
    const [head, claims, signature] = (req.headers.authorization ?? '').replace('Bearer ', '').split('.');
    const key = (await keySet())[decode(head).kid];
    taken = key !== undefined && decode(claims).exp > Date.now() / 1000 && crypto.verify('sha256', Buffer.from(`${head}.${claims}`),
      { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  } catch { /* refused */ }
  res.writeHead(taken ? 200 : 401);
  res.end();
}).listen(Number(process.env.PORT), '127.0.0.1');
