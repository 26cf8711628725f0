// An API that checks HS256 tokens by their kid, with secrets of a file that it reads again every two seconds.
const http = require('http'), crypto = require('crypto'), fs = require('fs'), file = process.argv[2] + '/checks.json'
let secrets = {}
const read = () => { secrets = JSON.parse(fs.readFileSync(file)) }
const good = token => {
  const [head, claims, signature] = token.split('.'), of = part => JSON.parse(Buffer.from(part, 'base64url'))
  const secret = secrets[of(head).kid]
  return of(head).alg === 'HS256' && secret && of(claims).exp > Date.now() / 1000 &&
    crypto.createHmac('sha256', secret).update(head + '.' + claims).digest('base64url') === signature
}
read()
setInterval(read, 2000)
http.createServer((request, answer) => {
  if (request.url === '/up') return answer.end()
  try { answer.statusCode = good((request.headers.authorization || '').split(' ')[1]) ? 200 : 401 } catch { answer.statusCode = 401 }
  answer.end()
}).listen(7331, '127.0.0.1')
