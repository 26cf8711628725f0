"""How the team rotates the secret: rotate.py first|make|accept|emit|revoke|accept-at-auth|revoke-at-auth [KID]"""
import json, os, secrets, sys
folder, step, kid = os.environ["SHOP"], sys.argv[1], (sys.argv[2:] or [""])[0]
def get(name):
    try: return json.load(open(f"{folder}/{name}.json"))
    except FileNotFoundError: return {}
def put(name, what):
    with open(f"{folder}/{name}.new", "w") as f: json.dump(what, f)
    os.replace(f"{folder}/{name}.new", f"{folder}/{name}.json")
book, signs, checks = get("book"), get("signs"), get("checks")
if step in ("first", "make"):
    kid = "s-" + secrets.token_hex(4); book[kid] = secrets.token_hex(32); put("book", book); print(kid)
if step in ("first", "accept", "accept-at-auth"): signs.setdefault("secrets", {})[kid] = book[kid]
if step in ("first", "accept"): checks[kid] = book[kid]
if step in ("first", "emit"): signs["emit"] = kid
if step in ("revoke", "revoke-at-auth"): signs["secrets"].pop(kid, None)
if step == "revoke": checks.pop(kid, None)
if step != "make": put("signs", signs); put("checks", checks)
