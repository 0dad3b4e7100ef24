#!/usr/bin/env python3
"""Compares the reader of XML with expat.

Feeds the fuzzer's corpus and random mutations of it to `examples/xml_canonical`, and fails if

* the reader accepts what expat refuses, or
* expat sees another tree in what the reader wrote than in what it had read.

    compare.py BINARY [MUTATIONS [SEED]]
"""

import pathlib
import random
import struct
import subprocess
import sys
from xml.parsers import expat

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "fuzz" / "corpus" / "xml_reader"
HEADER = (b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
          b"xmlns:p='urn:p' version='1.0'>")
END = b"</stream:stream>"
# What a mutation inserts: markup, half of it, and what is special in XML.
TOKENS = [token.encode() for token in (
    "<", ">", "/", "'", '"', "=", "&", ";", "]]>", "<![CDATA[", "<!--", "-->", "<?", "?>", "<!DOCTYPE a>", " ", "\t",
    "\n", "\r", "\r\n", "&amp;", "&lt;", "&#13;", "&#x9;", "&#0;", "&#xD800;", "&#x10FFFF;", "&lol;", "xmlns='u'",
    " xmlns=''", " xmlns:p='u'", " xmlns:q='u'", " xmlns:xml='u'", " p:a='1'", " q:a='1'", " a='1'", " xml:lang='e'",
    "<p:a>", "</p:a>", "<a>", "</a>", "<a/>", ":", "p:", "xmlns:", "xml:", "é", "\u00b7", "\u0301", "\u2c00", "\ufffe",
    "\U00010000", "\x00", "\x7f", "\x0b", END.decode())] + [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf"]


class Reader:
    """The reader, in a process of its own."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, source):
        self.process.stdin.write(struct.pack(">I", len(source)) + source)
        self.process.stdin.flush()
        verdict, used, count = struct.unpack(">cII", self._take(9))
        return verdict.decode(), used, [self._take(struct.unpack(">I", self._take(4))[0]) for _ in range(count)]

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=10)

    def _take(self, length):
        data = self.process.stdout.read(length)
        if len(data) != length:
            raise SystemExit("the reader ended")
        return data


def tree(document):
    """What expat sees: (name, attributes, children), text in one piece. Raises ExpatError."""
    root = ("", {}, [])
    path = [root]
    # No namespace can contain this separator.
    parser = expat.ParserCreate("UTF-8", "\x01")

    def start(name, attributes):
        element = (name, attributes, [])
        path[-1][2].append(element)
        path.append(element)

    def text(data):
        children = path[-1][2]
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = text
    parser.Parse(document, True)
    return root[2][0]


def check(reader, source):
    """The verdict; a complaint is an AssertionError."""
    has_header = source.startswith((b"<?xml", b"<stream"))
    if not has_header:
        source = HEADER + source
    verdict, used, stanzas = reader.read(source)
    try:
        written = [tree(stanza) for stanza in stanzas]
    except expat.ExpatError as error:
        raise AssertionError(f"expat refuses what was written for {source!r}: {error}: {stanzas!r}") from error
    if verdict == "C" or (verdict == "A" and not has_header):
        document = source[:used] + (END if verdict == "A" else b"")
        try:
            seen = tree(document)
        except expat.ExpatError as error:
            raise AssertionError(f"expat refuses {document!r}: {error}") from error
        children = [child for child in seen[2] if not isinstance(child, str)]
        assert children == written, f"{document!r}\nis for expat {children!r}\nbut was written as {written!r}"
    return verdict


def mutated(chance, corpus):
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.randint(0, 12))
        match chance.randrange(6):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = chance.choice(TOKENS)
            case 2:
                data[at:end] = chance.choice(TOKENS)
            case 3:
                data[at:at] = data[at:end]
            case 4:
                other = chance.choice(corpus)
                cut = chance.randint(0, len(other))
                data[at:at] = other[cut:cut + chance.randint(1, 60)]
            case 5 if data:
                data[at % len(data)] = chance.randrange(256)
    return bytes(data[:4096])


def main():
    binary = sys.argv[1]
    mutations = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    corpus = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    assert corpus, f"no corpus in {CORPUS}"
    reader = Reader(binary)
    verdicts = {}
    sources = corpus + [mutated(chance, corpus) for _ in range(mutations)]
    for source in sources:
        verdict = check(reader, source)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    assert reader.close() == 0
    print(f"expat {expat.EXPAT_VERSION.removeprefix('expat_')} agrees on {len(sources)} streams:", verdicts)


if __name__ == "__main__":
    main()
