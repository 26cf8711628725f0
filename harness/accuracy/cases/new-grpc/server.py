# An API of unary gRPC calls: it takes ES256 bearer tokens by a key set that it keeps for TTL_MS.
# It is grpcio as Debian has it, and knows nothing of a rehearsal.
import json, os, threading, time, urllib.request
from concurrent import futures

import grpc
import jwt

KEYS, FETCHED, LOCK = {}, [0.0], threading.Lock()


def keys():
    with LOCK:
        if time.monotonic() - FETCHED[0] > int(os.environ["TTL_MS"]) / 1000:
            request = urllib.request.Request(os.environ["JWKS"], headers={"User-Agent": "orders-grpc/1"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                found = json.load(answer)["keys"]
            KEYS.clear()
            KEYS.update({k["kid"]: jwt.PyJWK(k).key for k in found})
            FETCHED[0] = time.monotonic()
        return dict(KEYS)


def orders(message, context):
    bearer = dict(context.invocation_metadata()).get("authorization", "")
    try:
        raw = bearer.removeprefix("Bearer ")
        key = keys().get(jwt.get_unverified_header(raw)["kid"])
        jwt.decode(raw, key, algorithms=["ES256"], options={"verify_aud": False})
    except Exception as e:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, type(e).__name__)
    return b"\x08\x07"  # an order, 7


server = grpc.server(futures.ThreadPoolExecutor(16))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
    "shop.v1.Orders", {"List": grpc.unary_unary_rpc_method_handler(orders)}),))
address = "127.0.0.1:" + os.environ["PORT"]
if os.environ.get("TLS_CERT"):
    with open(os.environ["TLS_KEY"], "rb") as key, open(os.environ["TLS_CERT"], "rb") as certificate:
        server.add_secure_port(address, grpc.ssl_server_credentials([(key.read(), certificate.read())]))
else:
    server.add_insecure_port(address)
keys()
server.start()
server.wait_for_termination()
