// An API behind bearer tokens (ES256, RS256, EdDSA), with a key set of its own that it fetches anew every TTL_MS (0: never again). WORKERS share its port, each with a set of its own.
// ISSUERS is a JSON object from iss to the address of a key set; else JWKS is that of all. HOW lists what is odd about it:
//   swr        what is too old is used once more, while it fetches behind
//   miss       an unknown kid has it fetch, once in COOLDOWN_MS
//   any        tries every key that it has
//   merges     adds what it fetches, and removes nothing
//   future     refuses a token whose iat is after its clock
//   down-open  lets in whom it cannot check while it gets no set
//   open       checks nothing
//   late       its last worker keeps a set for LATE_MS
//   graphql    answers 200, and says in the body who was refused
//   once       its first FIRST keys count
//   small      reads a set of at most MAX bytes
//   expired    looks at no exp
// NEG_MS: for so long it refuses a kid that it did not find. ALGS: which it takes. ISS, AUD: which it wants. RESULT_MS: how long what was let in is let in again.
const http = require('http'), crypto = require('crypto'), cluster = require('cluster')
const E = process.env, how = new Set((E.HOW || '').split(',')), n = Number(E.WORKERS || 0), last = n && Number(E.I) === n - 1
let ttl = Number(E.TTL_MS || 0)
if (how.has('late') && last) ttl = Number(E.LATE_MS)
const algs = (E.ALGS || 'ES256,RS256,EdDSA').split(','), sets = {}, negative = {}, results = new Map()
const get = url => new Promise((done, bad) => {
  const q = http.get(url, { headers: { 'user-agent': (E.AGENT || 'yard-api') + '/1' }, timeout: 3000 }, a => {
    const parts = []
    a.on('data', d => parts.push(d)).on('end', () => a.statusCode === 200 ? done(Buffer.concat(parts).toString()) : bad(new Error('status ' + a.statusCode)))
  })
  q.on('timeout', () => q.destroy(new Error('timeout'))).on('error', bad)
})
function setOf(url) { return sets[url] = sets[url] || { keys: {}, at: 0, failed: false, busy: null } }
function fetch(url) {
  const s = setOf(url)
  return s.busy = s.busy || (async () => {
    try {
      const text = await get(url)
      if (how.has('small') && text.length > Number(E.MAX)) throw new Error('too large')
      const keys = how.has('merges') ? { ...s.keys } : {}
      JSON.parse(text).keys.slice(0, how.has('once') ? Number(E.FIRST) : 99).forEach((k, i) => { if (k.use !== 'enc') keys[k.kid || i] = crypto.createPublicKey({ key: k, format: 'jwk' }) })
      s.keys = keys; s.failed = false
    } catch (e) { s.failed = true; console.log('key set: ' + e.message) }
    s.at = Date.now(); s.busy = null
  })()
}
async function check(token) {
  if (how.has('open')) return
  const kept = results.get(token)
  if (kept && Date.now() < kept) return
  const [h, p, s] = token.split('.'), part = x => JSON.parse(Buffer.from(x, 'base64url')), head = part(h), claims = part(p)
  const url = E.ISSUERS ? JSON.parse(E.ISSUERS)[claims.iss] : E.JWKS
  if (!url) throw new Error('issuer')
  const set = setOf(url)
  if (negative[head.kid] && Date.now() < negative[head.kid]) throw new Error('unknown key, kept')
  if (!set.at) await fetch(url)
  else if (ttl && Date.now() - set.at > ttl) { if (how.has('swr')) fetch(url); else await fetch(url) }
  if (!set.keys[head.kid] && how.has('miss') && Date.now() - set.at > Number(E.COOLDOWN_MS || 0)) await fetch(url)
  if (how.has('down-open') && set.failed) return
  if (!algs.includes(head.alg)) throw new Error('algorithm')
  const fits = k => { try { return k && crypto.verify(head.alg === 'EdDSA' ? null : 'sha256', Buffer.from(h + '.' + p), { key: k, dsaEncoding: 'ieee-p1363' }, Buffer.from(s, 'base64url')) } catch { return false } }
  const found = how.has('any') ? Object.values(set.keys).some(fits) : set.keys[head.kid]
  if (!found && E.NEG_MS) negative[head.kid] = Date.now() + Number(E.NEG_MS)
  if (!found) throw new Error('unknown key')
  if (!how.has('any') && !fits(found)) throw new Error('signature')
  const now = Date.now() / 1000
  if (!how.has('expired') && now >= claims.exp) throw new Error('expired')
  if (how.has('future') && claims.iat > now) throw new Error('not yet')
  if (claims.nbf > now) throw new Error('not before')
  if (E.ISS && claims.iss !== E.ISS) throw new Error('issuer')
  if (E.AUD && ![].concat(claims.aud).includes(E.AUD)) throw new Error('audience')
  if (E.RESULT_MS) results.set(token, Date.now() + Number(E.RESULT_MS))
}
async function serve(q, r) {
  if (q.url === '/up') return r.end('up')
  try { await check((q.headers.authorization || '').split(' ')[1] || ''); r.end('{"data":[1,2]}') } catch (e) {
    console.log('denied: ' + e.message)
    if (how.has('graphql')) return r.end('{"errors":[{"extensions":{"code":"UNAUTHENTICATED"}}]}')
    r.statusCode = Number(E.STATUS || 401); r.end('{"error":"invalid_token"}')
  }
}
if (n && cluster.isPrimary) for (let i = 0; i < n; i++) cluster.fork({ I: i })
else (async () => {
  for (let tries = 0; E.JWKS && tries < 100 && (!tries || setOf(E.JWKS).failed); tries++) { await fetch(E.JWKS); await new Promise(done => setTimeout(done, 50)) }
  http.createServer(serve).listen(Number(E.PORT), '127.0.0.1')
})()
