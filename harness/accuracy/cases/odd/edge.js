// A cache that serves what it has for FRESH_MS, and for STALE_MS more while it fetches anew behind (stale-while-revalidate, RFC 5861).
const http = require('http'), url = new URL(process.env.UP)
const fresh = Number(process.env.FRESH_MS), stale = Number(process.env.STALE_MS)
let kept = null, busy = false
const fetch = done => http.get({ host: url.hostname, port: url.port, path: url.pathname, headers: { 'user-agent': 'edge/1' } }, a => {
  const parts = []
  a.on('data', d => parts.push(d)).on('end', () => { busy = false; if (a.statusCode === 200) kept = { body: Buffer.concat(parts), at: Date.now() }; done() })
}).on('error', () => { busy = false; done() })
http.createServer((q, r) => {
  if (q.url === '/up') return r.end('up')
  const send = () => { r.statusCode = kept ? 200 : 502; r.end(kept ? kept.body : '') }
  const age = kept ? Date.now() - kept.at : Infinity
  if (age > fresh + stale) return fetch(send)
  if (age > fresh && !busy) { busy = true; fetch(() => {}) }
  send()
}).listen(Number(process.env.PORT), '127.0.0.1')
