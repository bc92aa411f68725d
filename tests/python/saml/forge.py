"""Makes responses of a second implementation for the tests: each line of the input asks for one, in JSON.

    {"case": "a signed assertion", "acs": …, "audience": …, "issuer": …, "request": …, "subject": …, "tag": …, "now": …,
     "encrypt_for": PEM}
    -> {"response": XML}

The first line of the output has the certificates that are to be accepted, and the cases: name and, where it must be
refused, the reason.
"""

import json
import sys

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

import accepted
import refused
import wrapping
from keys import new_ec, new_rsa
from message import Asked


class Keys:
    def __init__(self):
        self.idp = new_rsa("idp")
        self.next = new_rsa("next")
        self.over = new_rsa("over", over=True)
        self.p256 = new_ec("p256", ec.SECP256R1())
        self.p384 = new_ec("p384", ec.SECP384R1())
        self.foreign = new_rsa("foreign")

    def certificates(self):
        return [pair.pem for pair in (self.idp, self.next, self.over, self.p256, self.p384)]


def main():
    keys = Keys()
    forged = {**refused.CASES, **wrapping.CASES}
    cases = [{"name": name, "refused": None} for name in accepted.CASES]
    cases += [{"name": name, "refused": reason} for name, (reason, _) in forged.items()]
    print(json.dumps({"certificates": keys.certificates(), "cases": cases}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        name = question["case"]
        build = accepted.CASES[name] if name in accepted.CASES else forged[name][1]
        message = build(Asked(question), keys)
        if not isinstance(message, str):
            message = etree.tostring(message, encoding="unicode")
        print(json.dumps({"response": message}), flush=True)


if __name__ == "__main__":
    main()
