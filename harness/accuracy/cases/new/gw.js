// A gateway that asks AUTHZ about every token, as nginx's auth_request does, and keeps each answer for KEEP_MS.
const http = require('http'), E = process.env, agent = new http.Agent({ keepAlive: true }), kept = new Map()
const ask = token => new Promise((done, no) => http.get(E.AUTHZ, { agent, headers: { authorization: token, 'user-agent': 'gw/1' } }, a => { a.resume(); a.on('end', () => done(a.statusCode)) }).on('error', no))
http.createServer(async (q, r) => {
  if (q.url === '/up') return r.end('up')
  const token = q.headers.authorization || ''
  let k = kept.get(token)
  try { if (!k || Date.now() - k.at > Number(E.KEEP_MS)) kept.set(token, k = { status: await ask(token), at: Date.now() }) } catch { k = { status: 502 } }
  r.statusCode = k.status; r.end(k.status < 300 ? 'page' : '')
}).listen(Number(E.PORT), '127.0.0.1')
