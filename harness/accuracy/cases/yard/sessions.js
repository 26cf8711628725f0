// Checks HS256 tokens with secrets of a file: a JSON document (FORMAT json), a secret a line (lines), or the one of the moment (one); or of SECRETS in its environment, by comma. HOW:
//   kid      chooses by the kid (json)
//   merges   keeps every secret that it ever had
//   previous keeps the one before for PREV_MS (one)
//   start    reads at its start alone
//   hup      reads at its start, and on SIGHUP
//   open     takes whatever has three parts
//   deaf     gets SIGHUP, and does nothing
//   bytes    takes the text for base64
//   late     its last worker reads every LATE_MS
const http = require('http'), crypto = require('crypto'), fs = require('fs'), cluster = require('cluster'), E = process.env, how = new Set((E.HOW || '').split(',')), n = Number(E.WORKERS || 0)
let held = [], at = 0, before = null
const every = how.has('late') && n && Number(E.I) === n - 1 ? Number(E.LATE_MS) : Number(E.RELOAD_MS || 0)
function read() {
  at = Date.now()
  let now
  if (E.SECRETS) now = E.SECRETS.split(',').map(value => ({ value }))
  else {
    const text = fs.readFileSync(E.FILE, 'utf8')
    now = E.FORMAT === 'json' ? JSON.parse(text).keys : text.split('\n').filter(x => x).map(value => ({ value }))
  }
  if (how.has('merges')) now = now.concat(held.filter(h => !now.some(k => k.value === h.value)))
  if (how.has('previous') && held.length && held[0].value !== now[0].value) before = { value: held[0].value, until: Date.now() + Number(E.PREV_MS) }
  held = now
}
const check = token => {
  if (every && Date.now() - at > every) try { read() } catch (e) { console.log('secrets: ' + e.message) }
  const [h, p, s] = token.split('.')
  if (!s) throw new Error('no token')
  if (how.has('open')) return
  const head = JSON.parse(Buffer.from(h, 'base64url')), fits = x => crypto.createHmac('sha256', how.has('bytes') ? Buffer.from(x, 'base64') : x).update(h + '.' + p).digest('base64url') === s
  let of = held
  if (how.has('kid')) of = held.filter(k => k.kid === head.kid)
  if (before && Date.now() < before.until) of = of.concat([before])
  if (!of.some(k => fits(k.value))) throw new Error('signature')
  if (Date.now() / 1000 >= JSON.parse(Buffer.from(p, 'base64url')).exp) throw new Error('expired')
}
if (n && cluster.isPrimary) { for (let i = 0; i < n; i++) cluster.fork({ I: i }) } else {
  read()
  process.on('SIGHUP', () => { if (how.has('hup')) read() })
  http.createServer((q, r) => {
    if (q.url === '/up') return r.end('up')
    try { check((q.headers.authorization || '').split(' ')[1] || ''); r.end('ok') } catch (e) { console.log('denied: ' + e.message); r.statusCode = Number(E.STATUS || 401); r.end() }
  }).listen(Number(E.PORT), '127.0.0.1')
}
