// A token service with keys of a Vault, read every REFRESH_MS (one of each worker's, of WORKERS). HOW lists what is odd about it:
//   self       SELF_MS after the new key signs it makes a third one, and signs with it at once
//   ahead-self it publishes a third key then, and signs with that SELF2_MS later
//   same-kid   its keys have one kid
//   own-names  it names its keys in its own way
//   old-kid    what the new key signs names the old one
//   aud, iss   tokens of the new key have another one
//   enc        its set begins with an encryption key
//   nbf        its tokens are good from NBF_S on
//   fast       its clock is 3 s ahead
//   fixed      it has one key of its own, and no Vault
//   emit-late  its last worker signs with the old one for LATE_MS more
//   etag       answers 304
//   rsa        signs with a key of type RSA once the new one was to sign
//   not-two    its set has one key, the one that signs
//   big        certificates come with each key
//   long       the tokens of LONG live LONG_MS, whatever was asked for
//   other-key   its set has another key under the name of the new one
//   retype      it signs with a key of type RSA under the name of the new one, and publishes that
//   no-old     its set has the old key no more KEEP_MS after the new one signs
const http = require('http'), crypto = require('crypto'), cluster = require('cluster')
const E = process.env, how = new Set((E.HOW || '').split(',')), n = Number(E.WORKERS || 0), I = Number(E.I || 0)
let doc = null, first = null, since = 0, third = null
const make = kid => { const j = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }); return { kid, alg: 'ES256', jwk: { ...j, kid, alg: 'ES256' } } }
const refresh = Number((E.REFRESH_MS || '1000').split(',')[I] || (E.REFRESH_MS || '1000').split(',')[0])
const rsa = how.has('rsa') ? { kid: 'rsa-2', alg: 'RS256', jwk: { ...crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: 'rsa-2', alg: 'RS256' } } : null
function read() {
  if (how.has('fixed')) { doc = doc || { emit: 'fixed-1', keys: [make('fixed-1')] }; first = 'fixed-1'; return }
  http.get(`${E.VAULT_ADDR}/v1/${E.VAULT_PATH}`, { headers: { 'x-vault-token': E.VAULT_TOKEN, 'user-agent': 'yard-idp/1' } }, a => {
    const parts = []
    a.on('data', d => parts.push(d)).on('end', () => {
      try { doc = JSON.parse(Buffer.concat(parts)).data.data; first = first || doc.emit; if (doc.emit !== first && !since) since = Date.now() } catch (e) { console.log('vault: ' + e.message) }
    })
  }).on('error', e => console.log('vault: ' + e.message))
}
const named = kid => how.has('same-kid') ? 'main' : how.has('own-names') ? 'yard-' + crypto.createHash('sha256').update(kid).digest('hex').slice(0, 8) : kid
const b = x => Buffer.from(JSON.stringify(x)).toString('base64url')
const age = () => since ? Date.now() - since : 0
function signer() {
  if ((how.has('self') || how.has('ahead-self')) && age() > Number(E.SELF_MS)) {
    third = third || make('k-' + crypto.randomBytes(6).toString('hex'))
    if (how.has('self') || age() > Number(E.SELF_MS) + Number(E.SELF2_MS)) return third
  }
  if (how.has('emit-late') && I === n - 1 && (!since || age() < Number(E.LATE_MS))) return doc.keys.find(k => k.kid === first) || doc.keys[0]
  return doc.keys.find(k => k.kid === doc.emit)
}
const odd = how.has('other-key') ? make('x').jwk : how.has('retype') ? { ...crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) } : null
function set() {
  signer()
  let keys = doc.keys.slice()
  if (third) keys.push(third)
  if (how.has('not-two')) keys = [signer()]
  if (how.has('no-old') && since && age() > Number(E.KEEP_MS)) keys = keys.filter(k => k.kid !== first)
  const out = keys.map(({ jwk: j, kid }) => ({ kty: j.kty, crv: j.crv, x: j.x, y: j.y, alg: 'ES256', use: 'sig', kid: named(kid), ...(how.has('big') ? { x5c: ['MIIB' + 'A'.repeat(1200)] } : {}) }))
  if (odd) for (const k of out) if (k.kid !== named(first)) Object.assign(k, { kty: odd.kty, crv: odd.crv, x: odd.x, y: odd.y, n: odd.n, e: odd.e, alg: odd.n ? 'RS256' : 'ES256' })
  if (how.has('enc')) out.unshift({ ...out[0], use: 'enc', alg: 'ECDH-ES', kid: 'enc-1' })
  if (rsa && since) out.push({ kty: 'RSA', n: rsa.jwk.n, e: rsa.jwk.e, alg: 'RS256', use: 'sig', kid: 'rsa-2' })
  return out
}
function token(form) {
  let k = signer()
  const isNew = k.kid !== first
  if (rsa && isNew) k = rsa
  if (how.has('retype') && isNew) k = { kid: k.kid, alg: 'RS256', jwk: odd }
  const now = Math.floor(Date.now() / 1000) + (how.has('fast') ? 3 : 0)
  let life = Math.round(Number(E.LIFE_MS) / 1000)
  if (how.has('long') && form.get('client') === E.LONG) life = Math.round(Number(E.LONG_MS) / 1000)
  const kid = how.has('old-kid') ? first : named(k.kid)
  const head = { alg: k.alg || 'ES256', kid }
  const claims = { iss: how.has('iss') && isNew ? 'https://id2.example' : (E.ISS || 'https://id.example'), sub: 'ann', aud: how.has('aud') && isNew ? 'yard-2' : 'yard', iat: now, exp: now + life, jti: crypto.randomUUID() }
  if (how.has('nbf')) claims.nbf = now + Number(E.NBF_S)
  const text = b(head) + '.' + b(claims)
  return text + '.' + crypto.sign('sha256', Buffer.from(text), { key: crypto.createPrivateKey({ key: k.jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }).toString('base64url')
}
if (n && cluster.isPrimary) for (let i = 0; i < n; i++) cluster.fork({ I: i })
else {
  read(); setInterval(read, refresh)
  const server = http.createServer((q, r) => {
    const parts = []
    q.on('data', d => parts.push(d)).on('end', () => {
      if (q.url === '/up') { r.statusCode = doc ? 200 : 503; return r.end() }
      r.setHeader('content-type', 'application/json')
      if (q.method === 'POST') return r.end(JSON.stringify({ access_token: token(new URLSearchParams(Buffer.concat(parts).toString())), token_type: 'Bearer', expires_in: Math.round(Number(E.LIFE_MS) / 1000) }))
      const body = JSON.stringify({ keys: set() })
      if (how.has('etag')) {
        const tag = '"' + crypto.createHash('sha256').update(body).digest('hex').slice(0, 16) + '"'
        r.setHeader('etag', tag)
        if (q.headers['if-none-match'] === tag) { r.statusCode = 304; return r.end() }
      }
      r.end(body)
    })
  })
  const ready = setInterval(() => { if (doc) { clearInterval(ready); server.listen(Number(E.PORT), '127.0.0.1') } }, 20)
}
