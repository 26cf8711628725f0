// An identity provider with ES256 keys of a Vault, of two workers; with TLS_CA it speaks TLS, and wants a certificate of its callers. HOW: no-kid, early (its last worker signs with the newest key that it finds).
const http = require('http'), crypto = require('crypto'), cluster = require('cluster'), fs = require('fs'), E = process.env
const pem = name => fs.readFileSync(E['TLS_' + name]), secure = E.TLS_CA ? { cert: pem('CERT'), key: pem('KEY'), ca: pem('CA'), requestCert: true, rejectUnauthorized: true } : {}
let doc = null, first = null
const read = () => http.get(`${E.VAULT_ADDR}/v1/${E.VAULT_PATH}`, { headers: { 'x-vault-token': E.VAULT_TOKEN, 'user-agent': 'idp/4' } }, a => {
  const parts = []
  a.on('data', d => parts.push(d)).on('end', () => { try { doc = JSON.parse(Buffer.concat(parts)).data.data; first = first || doc.emit } catch (e) { console.log('vault: ' + e.message) } })
}).on('error', e => console.log('vault: ' + e.message))
const b = x => Buffer.from(JSON.stringify(x)).toString('base64url'), kid = k => E.HOW === 'no-kid' ? {} : { kid: k }
function token() {
  const newest = E.HOW === 'early' && E.I === '1' ? doc.keys.find(k => k.kid !== first) : null, { jwk } = newest || doc.keys.find(k => k.kid === doc.emit)
  const now = Math.floor(Date.now() / 1000), text = b({ alg: 'ES256', ...kid(jwk.kid) }) + '.' + b({ iss: E.ISS || 'https://id.example', sub: 'ann', aud: ['api', 'billing'], iat: now, exp: now + Math.round(Number(E.LIFE_MS) / 1000), jti: crypto.randomUUID() })
  return text + '.' + crypto.sign('sha256', Buffer.from(text), { key: crypto.createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }).toString('base64url')
}
if (cluster.isPrimary) [0, 1].forEach(I => cluster.fork({ I }))
else {
  read(); setInterval(read, Number(E.REFRESH_MS));
  (E.TLS_CA ? require('https') : http).createServer(secure, (q, r) => {
    if (q.url === '/up') { r.statusCode = doc ? 200 : 503; return r.end() }
    q.resume()
    r.end(JSON.stringify(q.method === 'POST' ? { access_token: token() } : { keys: doc.keys.map(({ jwk: j }) => ({ kty: j.kty, crv: j.crv, x: j.x, y: j.y, alg: 'ES256', use: 'sig', ...kid(j.kid) })) }))
  }).listen(Number(E.PORT), '127.0.0.1')
}
