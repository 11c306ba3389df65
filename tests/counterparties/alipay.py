"""Alipay's gateway for unified transfers as its documents describe it: knows nothing of the mall but its public key."""

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from flask import Flask, Response, request

from tests.counterparties.common import Faults, certificate, key, private_pem, public_pem

APP_ID = "2021000000000001"
TRANSFER, QUERY = "alipay.fund.trans.uni.transfer", "alipay.fund.trans.common.query"


@dataclass
class Alipay:
    """One gateway with one application."""

    people: dict = field(default_factory=lambda: {"13900000003": "林小满"})
    orders: dict = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    requests: list = field(default_factory=list)
    slow: bool = False  # orders stay DEALING until `finish`

    def configure(self, settings, home, url, *, certificates=False):
        """Write the mall's key files and point its settings here."""
        settings.ALIPAY = {
            "APP_ID": APP_ID, "URL": f"{url}/gateway.do", "KEY_FILE": private_pem(home / "ali.pem", "application"),
            "PUBLIC_KEY_FILE": (certificate if certificates else public_pem)(home / "ali_public.pem", "alipay"),
            "APP_CERT_FILE": certificate(home / "ali_app.crt", "application", "authority") if certificates else "",
            "ROOT_CERT_FILE": certificate(home / "ali_root.crt", "authority") if certificates else "",
        }  # fmt: skip

    def app(self):
        """The gateway as a WSGI application."""
        app = Flask("alipay")
        app.add_url_rule("/gateway.do", view_func=self.gateway, methods=["POST"])
        return app

    def gateway(self):
        """Every call: check the signature, then the method."""
        params, fault = request.form.to_dict(), self.faults.take()
        text = "&".join(f"{k}={v}" for k, v in sorted(params.items()) if k != "sign" and v)
        try:
            key("application").public_key().verify(
                base64.b64decode(params["sign"]), text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return self.answer(params["method"], self.error("40002", "isv.invalid-signature"))
        at = datetime.strptime(params["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        assert abs(at.timestamp() - time.time()) < 600 and params["app_id"] == APP_ID and params["sign_type"] == "RSA2"
        data = json.loads(params["biz_content"])
        self.requests.append((params, data))
        if fault in ("500", "empty"):
            return self.answer(params["method"], {}, fault)
        node = self.transfer(data) if params["method"] == TRANSFER else self.query(data)
        return self.answer(params["method"], node, fault)

    def error(self, code, sub):
        """A business refusal."""
        return {"code": code, "msg": "Business Failed", "sub_code": sub, "sub_msg": sub.lower()}

    def transfer(self, data):
        """alipay.fund.trans.uni.transfer."""
        assert (data["product_code"], data["biz_scene"]) == ("TRANS_ACCOUNT_NO_PWD", "DIRECT_TRANSFER")
        assert re.fullmatch(r"\d+\.\d\d", data["trans_amount"]) and re.fullmatch(
            r"[0-9A-Za-z_]{1,64}", data["out_biz_no"]
        )
        number, payee = data["out_biz_no"], data["payee_info"]
        old = self.orders.get(number)
        if old:
            return self.told(number) if old["data"] == data else self.error("40004", "INVALID_PARAMETER")
        if payee["identity"] not in self.people:
            return self.error("40004", "PAYEE_NOT_EXIST")
        if payee["identity_type"] == "ALIPAY_LOGON_ID" and payee["name"] != self.people[payee["identity"]]:
            return self.error("40004", "PAYEE_USER_INFO_ERROR")
        self.orders[number] = {
            "data": data, "status": "DEALING" if self.slow else "SUCCESS", "id": f"2026{secrets.randbelow(10**20):020d}",
            "paid": 0 if self.slow else 1, "reason": "",
        }  # fmt: skip
        return self.told(number)

    def query(self, data):
        """alipay.fund.trans.common.query."""
        if data["out_biz_no"] not in self.orders:
            return self.error("40004", "ORDER_NOT_EXIST")
        return self.told(data["out_biz_no"]) | {"order_fee": "0.10"}

    def told(self, number):
        """An order as the gateway tells it."""
        order = self.orders[number]
        return {
            "code": "10000", "msg": "Success", "out_biz_no": number, "order_id": order["id"], "status": order["status"],
            "trans_amount": order["data"]["trans_amount"], "fail_reason": order["reason"],
        }  # fmt: skip

    def answer(self, method, node, fault=""):
        """A signed answer over the node as written, or what the fault makes of it."""
        if fault.startswith("500"):
            return Response("bad gateway", 502)
        name = method.replace(".", "_") + "_response"
        raw = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
        signer = key("stranger" if fault == "forged" else "alipay")
        sign = base64.b64encode(signer.sign(raw.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        if fault == "changed":
            raw = raw.replace("SUCCESS", "FAIL")
        text = f'{{"{name}":{raw},"sign":"{sign}"}}'
        if fault == "second_key":  # the signed node first, a forged one under the same name, spelt differently
            text = f'{{"{name}":{raw},"\\u0061{name[1:]}":{raw.replace("SUCCESS", "FAIL")},"sign":"{sign}"}}'
        if fault == "half":
            text = text[: len(text) // 2]
        if fault == "empty":
            text = '{"error_response":{"code":"20000","msg":"Service Currently Unavailable"}}'
        return Response(text, 200, content_type="text/html;charset=utf-8")

    def finish(self, number, status, reason=""):
        """An order under way ends; a paid one may come back (REFUND)."""
        order = self.orders[number]
        if status == "SUCCESS":
            order["paid"] += 1
        order.update(status=status, reason=reason)
