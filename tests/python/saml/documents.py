"""Documents at random, each with its canonical form by libxml2: a line in JSON each, as many as are asked for."""

import json
import random
import sys

from lxml import etree

PREFIXES = ["", "a", "b", "ns1", "saml", "xs"]
# libxml2 does not escape an ampersand in a namespace, against the recommendation; nobody has one there.
SPACES = ["urn:a", "urn:b", "http://www.w3.org/2001/XMLSchema", "https://x.example/y?z#"]
NAMES = ["x", "y", "Attribute", "é", "_1", "a-b.c"]
TEXTS = ["", "text", " ", "\n  ", "&amp;&lt;&gt;", "&#13;", "&#x9;", "'\"", "ä&#228;", "𝄞", "]]&gt;", "\t", "&#10;x", "\r\n", "\r"]


def document(chance):
    return element(chance, {"": None}, 0)


def element(chance, scope, depth):
    scope = dict(scope)
    declared = {}
    for prefix in PREFIXES:
        if chance.random() < 0.25:
            declared[prefix] = chance.choice(SPACES)
    if "" in declared and chance.random() < 0.3:
        declared[""] = None
    scope.update(declared)
    known = [prefix for prefix in scope if prefix and scope[prefix]]
    name = qualified(chance, known + [""])
    attributes, seen = [], set()
    for _ in range(chance.randrange(4)):
        attribute = chance.choice(["xml:lang", "xml:space"]) if chance.random() < 0.1 else qualified(chance, known + [""])
        prefix, _, local = attribute.rpartition(":")
        key = (scope.get(prefix) if prefix else None, local) if prefix != "xml" else attribute
        if key not in seen:
            seen.add(key)
            attributes.append(f'{attribute}="{value(chance)}"')
    attributes += [declaration(prefix, uri) for prefix, uri in declared.items()]
    chance.shuffle(attributes)
    space = chance.choice([" ", "\n", "  "])
    start = name + "".join(space + attribute for attribute in attributes)
    if chance.random() < 0.15:
        return f"<{start}{chance.choice(['', ' '])}/>"
    inside = "".join(content(chance, scope, depth) for _ in range(chance.randrange(5)))
    return f"<{start}>{inside}</{name}{chance.choice(['', ' '])}>"


def content(chance, scope, depth):
    kind = chance.random()
    if kind < 0.5 and depth < 6:
        return element(chance, scope, depth + 1)
    if kind < 0.6:
        return f"<!--{chance.choice(['', ' c ', '&amp;', ' ä '])}-->"
    if kind < 0.7:
        return f"<![CDATA[{chance.choice(['', '<x>&amp;', ' ', ']]', 'é'])}]]>"
    return chance.choice(TEXTS)


def qualified(chance, prefixes):
    prefix = chance.choice(prefixes)
    name = chance.choice(NAMES)
    return f"{prefix}:{name}" if prefix else name


def value(chance):
    return "".join(chance.choice(TEXTS) for _ in range(chance.randrange(3))).replace('"', "&quot;").replace("]]&gt;", "")


def declaration(prefix, uri):
    return f'xmlns{":" if prefix else ""}{prefix}="{uri or ""}"'


def main():
    wanted, chance, made = int(sys.argv[1]), random.Random(20261122), 0
    while made < wanted:
        text = document(chance)
        prefixes = chance.sample(["a", "ns1", "xs", "none"], chance.randrange(3)) if chance.random() < 0.4 else []
        comments = chance.random() < 0.5
        try:
            root = etree.fromstring(text.encode())
        except etree.XMLSyntaxError:
            continue
        # lxml drops #default from the list, so that is left out here.
        canonical = etree.tostring(
            root, method="c14n", exclusive=True, with_comments=comments, inclusive_ns_prefixes=prefixes or None
        )
        print(json.dumps({"text": text, "prefixes": prefixes, "comments": comments, "canonical": canonical.decode()}))
        made += 1


if __name__ == "__main__":
    main()
