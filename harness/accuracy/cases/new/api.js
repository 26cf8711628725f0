// An API behind bearer tokens (ES256), with a key set that it fetches anew every TTL_MS. WORKERS share its port. HOW: stuck (its last worker never fetches again),
// disk (starts with the set that it kept there at its first start), limit (turns an address away for BAN_MS that it refused ten times), any (tries every key). The token is in a cookie with COOKIE.
// With TLS_CA it speaks TLS, and wants a certificate of its callers.
const http = require('http'), fs = require('fs'), crypto = require('crypto'), cluster = require('cluster')
const E = process.env, pem = name => fs.readFileSync(E['TLS_' + name])
const secure = E.TLS_CA ? { cert: pem('CERT'), key: pem('KEY'), ca: pem('CA'), requestCert: true, rejectUnauthorized: true } : {}, web = E.TLS_CA ? require('https') : http
const how = new Set((E.HOW || '').split(',')), n = Number(E.WORKERS || 0), disk = require('os').tmpdir() + '/api-' + process.ppid + '.json'
let keys = {}, at = 0, busy = null, bad = 0, banned = 0
const use = text => { keys = {}; JSON.parse(text).keys.forEach((k, i) => { keys[k.kid || i] = crypto.createPublicKey({ key: k, format: 'jwk' }) }); at = Date.now() }
const get = () => busy = busy || new Promise(done => {
  const over = e => { if (e) console.log('key set: ' + e.message); if (at) at = Date.now(); busy = null; done() }
  const q = web.get(E.JWKS, { headers: { 'user-agent': 'api/3' }, timeout: 3000, ...secure }, a => {
    const parts = []
    a.on('data', d => parts.push(d)).on('end', () => {
      try { const text = Buffer.concat(parts).toString(); use(text); if (how.has('disk') && !fs.existsSync(disk)) fs.writeFileSync(disk, text); over() } catch (e) { over(e) }
    })
  })
  q.on('timeout', () => q.destroy(new Error('timeout'))).on('error', over)
})
async function check(token) {
  if (Date.now() - at > Number(E.TTL_MS)) await get()
  const [h, p, s] = token.split('.'), part = x => JSON.parse(Buffer.from(x, 'base64url'))
  const fits = k => k && crypto.verify('sha256', Buffer.from(h + '.' + p), { key: k, dsaEncoding: 'ieee-p1363' }, Buffer.from(s, 'base64url'))
  if (!(how.has('any') ? Object.values(keys).some(fits) : fits(keys[part(h).kid]))) throw new Error('unknown key')
  if (Date.now() / 1000 >= part(p).exp) throw new Error('expired')
  if (E.AUD && ![].concat(part(p).aud).includes(E.AUD)) throw new Error('audience')
}
async function serve(q, r) {
  if (q.url === '/up') return r.end('up')
  if (Date.now() < banned) { r.statusCode = 429; return r.end() }
  try { await check(E.COOKIE ? (q.headers.cookie || '').split(E.COOKIE + '=')[1] : (q.headers.authorization || '').split(' ')[1]); r.end('[1,2]') } catch (e) {
    console.log('denied: ' + e.message)
    if (how.has('limit') && ++bad >= 10) { bad = 0; banned = Date.now() + Number(E.BAN_MS) }
    r.statusCode = Number(E.STATUS || 401); r.end()
  }
}
if (n && cluster.isPrimary) for (let i = 0; i < n; i++) cluster.fork({ I: i })
else (async () => {
  if (how.has('disk') && fs.existsSync(disk)) use(fs.readFileSync(disk, 'utf8')); else await get()
  if (how.has('stuck') && Number(E.I) === n - 1) at = Infinity
  web.createServer(secure, serve).listen(Number(E.PORT), '127.0.0.1')
})()
