// A small service that checks bearer tokens with panva/jose's createRemoteJWKSet.
const http = require("http");
const jose = require("jose");

const { JWKS_URL, ISSUER, AUDIENCE, PORT, JWKS_MAX_AGE, JWKS_COOLDOWN } = process.env;
const settings = {};
if (JWKS_MAX_AGE) settings.cacheMaxAge = Number(JWKS_MAX_AGE); // milliseconds
if (JWKS_COOLDOWN) settings.cooldownDuration = Number(JWKS_COOLDOWN);
const keys = jose.createRemoteJWKSet(new URL(JWKS_URL), settings);

const server = http.createServer(async (request, response) => {
  const answer = (status, text) => response.writeHead(status).end(text + "\n");
  if (request.url === "/healthz") return answer(200, "ok");
  const token = (request.headers.authorization || "").replace(/^Bearer /, "");
  try {
    const { payload } = await jose.jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE });
    answer(200, payload.sub);
  } catch (refused) {
    answer(401, refused.code || refused.name);
  }
});
server.listen(Number(PORT || 8080));
process.on("SIGTERM", () => process.exit(0));
