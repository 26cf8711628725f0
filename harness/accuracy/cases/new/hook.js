// Receives events, Stripe's scheme. The secrets are lines of SECRETS_FILE, which it reads anew every RELOAD_MS; it uses the first alone, against the first signature.
const http = require('http'), fs = require('fs'), crypto = require('crypto'), E = process.env
let secret = ''
const load = () => { secret = fs.readFileSync(E.SECRETS_FILE, 'utf8').split('\n')[0] }
load(); setInterval(load, Number(E.RELOAD_MS))
http.createServer((q, r) => {
  const parts = []
  q.on('data', d => parts.push(d)).on('end', () => {
    const said = (q.headers['stripe-signature'] || '').split(',').map(p => p.split('=')), t = (said.find(p => p[0] === 't') || [])[1], v = (said.find(p => p[0] === 'v1') || [])[1]
    r.statusCode = q.url === '/up' ? 200 : v === crypto.createHmac('sha256', secret).update(t + '.' + Buffer.concat(parts)).digest('hex') ? 202 : 401
    r.end('{}')
  })
}).listen(Number(E.PORT), '127.0.0.1')
