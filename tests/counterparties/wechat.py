"""WeChat Pay's merchant transfer as its documents describe it: knows nothing of the mall but its public key.

It refuses bad signatures, replayed nonces, another scene, names that do not fit; the same number again is the same
bill, with other parameters it is refused. On order it fails before or after it has taken a bill, answers half, signs
with a stranger's key, or answers about something else.
"""

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, Response, request

from tests.counterparties.common import Faults, certificate, key, private_pem, public_pem

PATH = "/v3/fund-app/mch-transfer/transfer-bills"
MCHID, APPID, SERIAL, PLATFORM_SERIAL = (
    "1900000001",
    "wx0123456789abcdef",
    "5157F09EFDC096DE15EBE81A47057A72",
    "PUB_KEY_ID_0114",
)
APIV3_KEY = "0123456789abcdef0123456789abcdef"
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)


@dataclass
class Wechat:
    """One platform with one merchant."""

    people: dict = field(default_factory=lambda: {"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o": "林小满"})
    bills: dict = field(default_factory=dict)
    nonces: set = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    requests: list = field(default_factory=list)

    def configure(self, settings, home, url, *, by_certificate=False):
        """Write the mall's key files and point its settings here."""
        (home / "apiv3.key").write_text(APIV3_KEY)
        platform = certificate if by_certificate else public_pem
        settings.WECHAT_PAY = {
            "MCHID": MCHID, "APPID": APPID, "SERIAL": SERIAL, "PLATFORM_SERIAL": PLATFORM_SERIAL, "URL": url,
            "KEY_FILE": private_pem(home / "wx.pem", "merchant"), "APIV3_KEY_FILE": str(home / "apiv3.key"),
            "PLATFORM_KEY_FILE": platform(home / "wx_platform.pem", "platform"),
        }  # fmt: skip

    def app(self):
        """The platform as a WSGI application."""
        app = Flask("wechat")
        app.add_url_rule(PATH, view_func=self.create, methods=["POST"])
        app.add_url_rule(f"{PATH}/out-bill-no/<bill_no>", view_func=self.show, methods=["GET"])
        return app

    def signed_by_merchant(self):
        """Whether the request carries the merchant's signature, fresh and never seen."""
        scheme, _space, rest = request.headers.get("Authorization", "").partition(" ")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme != "WECHATPAY2-SHA256-RSA2048" or (fields.get("mchid"), fields.get("serial_no")) != (MCHID, SERIAL):
            return False
        if fields["nonce_str"] in self.nonces or abs(time.time() - int(fields["timestamp"])) > 300:
            return False
        self.nonces.add(fields["nonce_str"])
        text = f"{request.method}\n{request.full_path.rstrip('?')}\n{fields['timestamp']}\n{fields['nonce_str']}\n"
        try:
            key("merchant").public_key().verify(
                base64.b64decode(fields["signature"]), text.encode() + request.get_data() + b"\n", padding.PKCS1v15(),
                hashes.SHA256(),
            )  # fmt: skip
        except InvalidSignature:
            return False
        return True

    def answer(self, status, data, fault=""):
        """A signed answer, or what the fault makes of it."""
        if fault == "429":
            return Response("{}", 429)
        if fault.startswith("500"):
            return Response("<html>upstream</html>", 500)
        body = json.dumps(data, ensure_ascii=False).encode()
        if fault == "half":
            body = body[: len(body) // 2]
        if fault == "no_state":
            body = json.dumps({k: v for k, v in data.items() if k != "state"}).encode()
        if fault == "other_bill":
            body = json.dumps({**data, "out_bill_no": "another"}).encode()
        if fault == "other_amount":
            body = json.dumps({**data, "transfer_amount": data.get("transfer_amount", 0) + 1}).encode()
        return Response(body, status, headers=self.sign(body, fault), content_type="application/json")

    def sign(self, body, fault=""):
        """The headers of a signed answer or notification."""
        stamp = str(int(time.time()) - (900 if fault == "stale" else 0))
        nonce = secrets.token_hex(16)
        signer = key("stranger" if fault == "forged" else "platform")
        text = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(signer.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
        return {"Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": signature,
                "Wechatpay-Serial": PLATFORM_SERIAL}  # fmt: skip

    def refuse(self, status, code, fault=""):
        """A signed refusal."""
        return self.answer(status, {"code": code, "message": code.lower()}, fault)

    def create(self):
        """POST transfer-bills."""
        fault = self.faults.take()
        if not self.signed_by_merchant():
            return self.refuse(401, "SIGN_ERROR")
        data = request.get_json()
        self.requests.append(data)
        if fault in ("500", "429"):
            return self.answer(200, {}, fault)
        wrong = self.wrong(data)
        if wrong:
            return self.refuse(400, wrong, fault)
        fixed = {k: v for k, v in data.items() if k != "user_name"}
        old = self.bills.get(data["out_bill_no"])
        if old and old["fixed"] != fixed:
            return self.refuse(400, "ALREADY_EXISTS", fault)
        bill = old or {
            "fixed": fixed, "state": "WAIT_USER_CONFIRM", "no": f"133{secrets.randbelow(10**20):020d}", "reason": "", "paid": 0,
        }  # fmt: skip
        self.bills[data["out_bill_no"]] = bill
        return self.answer(200, self.told(data["out_bill_no"], package=True), fault)

    def wrong(self, data):
        """What is wrong with a request, as the platform's code."""
        number, amount = data.get("out_bill_no", ""), data.get("transfer_amount")
        infos = [i.get("info_type") for i in data.get("transfer_scene_report_infos", [])]
        good = (
            re.fullmatch(r"[0-9A-Za-z]{1,32}", number) and data.get("appid") == APPID and isinstance(amount, int)
            and amount >= 30 and data.get("transfer_scene_id") == "1005" and 0 < len(data.get("transfer_remark", "")) <= 32
            and infos == ["岗位类型", "报酬说明"] and request.headers.get("Wechatpay-Serial") == PLATFORM_SERIAL
        )  # fmt: skip
        if not good or data.get("openid") not in self.people:
            return "PARAM_ERROR"
        if amount >= 200_000 and "user_name" not in data:
            return "PARAM_ERROR"
        if "user_name" in data:
            name = key("platform").decrypt(base64.b64decode(data["user_name"]), OAEP).decode()
            if name != self.people[data["openid"]]:
                return "INVALID_REQUEST"
        return ""

    def told(self, bill_no, package=False):
        """A bill as the platform tells it."""
        bill = self.bills[bill_no]
        out = {
            "mch_id": MCHID, "appid": APPID, "out_bill_no": bill_no, "transfer_bill_no": bill["no"], "state": bill["state"],
            "transfer_amount": bill["fixed"]["transfer_amount"], "fail_reason": bill["reason"],
        }  # fmt: skip
        return out | ({"package_info": f"affffddafdfafddffda=={bill['no']}"} if package else {})

    def show(self, bill_no):
        """GET by out_bill_no."""
        fault = self.faults.take()
        if not self.signed_by_merchant():
            return self.refuse(401, "SIGN_ERROR")
        if bill_no not in self.bills:
            return self.refuse(404, "NOT_FOUND", fault)
        return self.answer(200, self.told(bill_no), fault)

    def confirm(self, bill_no):
        """The payee taps "receive": the money moves, once."""
        bill = self.bills[bill_no]
        assert bill["state"] == "WAIT_USER_CONFIRM"
        bill["state"], bill["paid"] = "SUCCESS", bill["paid"] + bill["fixed"]["transfer_amount"]

    def expire(self, bill_no):
        """Twenty-four hours without a tap."""
        self.bills[bill_no].update(state="FAIL", reason="OVERDUE_CLOSE")

    def notify(self, bill_no, fault=""):
        """(headers, body) of the notification of a bill's end."""
        nonce, extra = secrets.token_hex(6), "mch_payment"
        plain = json.dumps(self.told(bill_no)).encode()
        sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), plain, extra.encode())
        body = json.dumps({
            "id": secrets.token_hex(16), "event_type": "MCHTRANSFER.BILL.FINISHED", "resource_type": "encrypt-resource",
            "resource": {"algorithm": "AEAD_AES_256_GCM", "ciphertext": base64.b64encode(sealed).decode(), "nonce": nonce,
                         "associated_data": "other" if fault == "extra" else extra, "original_type": "mch_payment"},
        }).encode()  # fmt: skip
        return self.sign(body, fault), body
