// Receives events, GitHub's scheme. The secrets are lines of SECRETS_FILE, which it reads anew every RELOAD_MS.
const http = require('http'), fs = require('fs'), crypto = require('crypto')
let secrets = []
const load = () => { secrets = fs.readFileSync(process.env.SECRETS_FILE, 'utf8').split('\n').filter(Boolean) }
load(); setInterval(load, Number(process.env.RELOAD_MS))
const fits = (body, given) => secrets.some(s => {
  const want = Buffer.from('sha256=' + crypto.createHmac('sha256', s).update(body).digest('hex')), got = Buffer.from(given || '')
  return want.length === got.length && crypto.timingSafeEqual(want, got)
})
http.createServer((q, r) => {
  const parts = []
  q.on('data', d => parts.push(d)).on('end', () => {
    r.statusCode = q.url === '/up' ? 200 : fits(Buffer.concat(parts), q.headers['x-hub-signature-256']) ? 202 : 401
    r.end('{}')
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
