// Receives events, Stripe's scheme: 202 at once, and checks what it has queued later. The secrets are lines of SECRETS_FILE, read anew every RELOAD_MS; without that, never. What fits none it throws away, with a line in its log.
const http = require('http'), fs = require('fs'), crypto = require('crypto'), E = process.env
let secrets = []
const load = () => { secrets = fs.readFileSync(E.SECRETS_FILE, 'utf8').split('\n').filter(Boolean) }
load()
if (E.RELOAD_MS) setInterval(load, Number(E.RELOAD_MS))
const fits = (header, body) => {
  const said = (header || '').split(',').map(p => p.split('=')), t = (said.find(p => p[0] === 't') || [])[1]
  return secrets.some(s => said.some(p => p[0] === 'v1' && p[1] === crypto.createHmac('sha256', s).update(t + '.' + body).digest('hex')))
}
http.createServer((q, r) => {
  const parts = []
  q.on('data', d => parts.push(d)).on('end', () => {
    if (q.url !== '/up') setTimeout((h, b) => fits(h, b) || console.log('thrown away: bad signature'), 50, q.headers['stripe-signature'], Buffer.concat(parts))
    r.statusCode = q.url === '/up' ? 200 : 202
    r.end('{}')
  })
}).listen(Number(E.PORT), '127.0.0.1')
