"""Fetches the key set once, writes its keys as files for HAProxy's jwt_verify, and becomes HAProxy.

HAProxy loads public keys from files when it starts; which kid has which file is in its configuration."""
import json
import os
import urllib.request

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONFIG = """
global
  hard-stop-after 1500ms
defaults
  mode http
  option idle-close-on-response
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend service
  bind :{port}
  http-request return status 200 if {{ path /healthz }}
  http-request deny deny_status 401 unless {{ req.hdr(authorization) -m found }}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.kid) var(txn.bearer),jwt_header_query('$.kid')
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer} }}
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
{keys}
  http-request deny deny_status 401
"""
KEY = "  http-request return status 200 if {{ var(txn.kid) -m str {kid} }} {{ var(txn.alg) -m str {alg} }} {{ var(txn.bearer),jwt_verify(txn.alg,\"{file}\") 1 }}"

with urllib.request.urlopen(os.environ["JWKS_URL"]) as answer:
    keys = json.load(answer)["keys"]
rules = []
for number, key in enumerate(keys):
    file = f"/tmp/{number}.pem"
    with open(file, "wb") as pem:
        pem.write(jwt.PyJWK(key).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    rules.append(KEY.format(kid=key["kid"], alg=key["alg"], file=file))
with open("/tmp/haproxy.cfg", "w") as config:
    config.write(CONFIG.format(port=os.environ.get("PORT", "8080"), issuer=os.environ["ISSUER"], keys="\n".join(rules)))
os.execvp("haproxy", ["haproxy", "-f", "/tmp/haproxy.cfg"])
