"""What mail programs show of a name in a From field: decoders of several kinds, most of them more tolerant than
the standard, and a generator of names that are nearly right.
"""
import base64
import email
import email.header
import email.policy
import email.utils
import re
import subprocess
import unicodedata

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
WORD = re.compile(r"=\?([^?]*)\?([bBqQ])\?([^?]*)\?=")
PARTS = ["bob", "anna", "@", "@", "kanzlei", ".", "example", " ", "Müller", "\uff20", "\ufe6b", "\u3002", "\uff0e", "\u200b", "\u202e",
         "\u00ad", "\u2028", "\x85", "\x0b", "(", ")", "[", "]", "'", "\\", ",", "=?", "?=", "_", "é", "山田", "@anna", "Tickets",
         "bob@kanzlei.example", "anna@kanzlei.example", "bob@", "kanzlei.example", "Anna", "Beispiel", ". ", "\u00a0", "\u3000", ";", ":",
         "(x)", "(.)", "<", ">", "<anna@kanzlei.example>", "St. Gallen", " " * 20, "\t", "\ue000", "\ue001", "\ufffc", "\ufdd0", "\U0001d159",
         "1\ufe0f\u20e3", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u200d", "\u2764\ufe0f"]
# Words that are written with a dot and a blank behind them.
TITLE = re.compile(r"\b(?:st|ste|dr|prof|mag|ing|mt|ft)\. ", re.I)
FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
EMOJI = re.compile("(?<=[^\x00-\x7f])\ufe0f|(?<=[0-9#*])\ufe0f\u20e3|\u200d(?=[^\x00-\x7f])")
CHARSETS = ["utf-8", "UTF-8", "utf8", "iso-8859-1", "windows-1252", "us-ascii", "gb18030", "shift_jis", "euc-kr", "iso-2022-jp", "utf-7",
            "utf-8*de", "utf-8*", "utf-8x", "big5", "iso-8859-8"]


# -- Programs that decode


def digit(c):
    return ord(c) - 48 if c < "A" else ord(c.upper()) - 55


def tolerant_q(text, join, digits):
    out, i = bytearray(), 0
    while i < len(text):
        if text[i] == "_":
            out.append(32)
        elif text[i] == "=" and i + 2 < len(text) and (digits or re.fullmatch("[0-9A-Fa-f]{2}", text[i + 1:i + 3])):
            out.append(join(digit(text[i + 1]), digit(text[i + 2])) & 255)
            i += 2
        else:
            out += text[i].encode("utf-8", "replace")
        i += 1
    return bytes(out)


def tolerant_b(text, at_padding):
    """Octets that are no digits are passed over; behind padding the decoder goes on, stops or begins anew."""
    out, bits, count = bytearray(), 0, 0
    for c in text:
        if c == "=" and at_padding == "stop":
            break
        if c == "=" and at_padding == "anew":
            bits = count = 0
        if c not in ALPHABET:
            continue
        bits, count = bits << 6 | ALPHABET.index(c), count + 6
        if count >= 8:
            count -= 8
            out.append(bits >> count & 255)
    return bytes(out)


def in_charset(octets, charset, errors):
    try:
        return octets.decode(charset.split("*")[0] or "ascii", errors)
    except LookupError:
        return octets.decode("latin-1")


def tolerant(name):
    """Each way in which decoders are tolerant, by itself."""
    joins = [lambda a, b: a << 4 | b, lambda a, b: (a << 4 & 240) | b & 15, lambda a, b: a * 16 + b]
    for number in range(12):
        join, at_padding = joins[number % 3], ("on", "stop", "anew")[number % 3]
        errors = "ignore" if number % 2 else "replace"

        def decoded(m):
            octets = tolerant_b(m[3], at_padding) if m[2] in "bB" else tolerant_q(m[3], join, number < 6)
            return in_charset(octets, m[1], errors)
        text = re.sub(r"(\?=)\s+(=\?)", r"\1\2", name) if number % 4 < 2 else name
        yield WORD.sub(decoded, text)


def unquoted(name):
    """A phrase as it is shown, without its quotes; with comments, and without."""
    bare = re.sub(r'"((?:[^"\\]|\\.)*)"', lambda m: re.sub(r"\\(.)", r"\1", m[1]), name)
    yield bare
    yield re.sub(r"\([^()]*\)", "", bare)


class Perl:
    """Perl's own decoder of headers."""
    PROGRAM = ('$| = 1; while (<STDIN>) { chomp; my $o = pack("H*", $_); my $s = eval { decode("MIME-Header", $o) } // "";'
               ' print unpack("H*", encode("UTF-8", $s)), "\\n" }')

    def __init__(self):
        self.process = subprocess.Popen(["perl", "-MEncode", "-e", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)

    def decode(self, name):
        self.process.stdin.write(name.encode("utf-8").hex().encode() + b"\n")
        self.process.stdin.flush()
        return bytes.fromhex(self.process.stdout.readline().decode().strip()).decode("utf-8", "replace")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def python(name, address):
    """Python's two parsers, the old one and the new one."""
    def header(value):
        try:
            return str(email.header.make_header(email.header.decode_header(value)))
        except (LookupError, UnicodeError, email.errors.HeaderParseError):
            return value
    field = f"{name} <{address}>"
    yield header(name)
    yield header(email.utils.parseaddr(field)[0])
    message = email.message_from_bytes(f"From: {field}\r\n\r\n".encode(), policy=email.policy.default)
    for mailbox in message["From"].addresses:
        yield mailbox.display_name


def shown(name, address, perl):
    """What programs show of a name."""
    for text in unquoted(name):
        yield text
        yield perl.decode(text)
        yield from tolerant(text)
    yield from python(name, address)


# -- What they must not show


def breach(text, address):
    """What is wrong with a text that is shown; None where nothing is."""
    for c in EMOJI.sub("", FLAG.sub("", text)):
        if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cn") and c != "\t" or c in "\ufffc\U0001d159":
            return f"U+{ord(c):04X} is not seen"
    if re.search(r"\s{100}", text):
        return "blanks push the address out of sight"
    text = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    # `(@anna.example)` is a name in a social network.
    text = TITLE.sub("", re.sub(r"(?:^|(?<=\s))\(\s*@[^\s<>()\[\],;:\"@]+\s*\)", "", text))
    # Blanks and separators around a dot behind the sign.
    text = re.sub(r"(@[^@]*)", lambda m: re.sub(r"(?<=\w)[\s()\[\],;:\"]*\.[\s()\[\],;:\".]*(?=\w)", ".", m[1]), text)
    for local, domain in re.findall(r"([^\s<>()\[\],;:\"@]+)[\s()\[\],;:\"'@]*@[\s()\[\],;:\"']*([^\s<>()\[\],;:\"@]+)", text):
        # Punctuation around an address does not make it another; nor does a word that stayed encoded make a local part.
        local, domain = re.sub(r"^[\W_]+", "", WORD.sub("", local)), re.sub(r"^[\W_]+|[\W_]+$", "", domain)
        if local and "." in domain and f"{local}@{domain}".lower() != address:
            return f"{local}@{domain} is another's address"
    return None


# -- Names


def encoded(text, r):
    """A text as an encoded word, sometimes spoilt."""
    charset = r.choice(CHARSETS) if r.random() < 0.3 else "utf-8"
    octets = text.encode(charset.split("*")[0] if charset not in ("utf-8x",) else "utf-8", "replace")
    if r.random() < 0.5:
        word = base64.b64encode(octets).decode()
        if r.random() < 0.2:
            place = r.randrange(len(word) + 1)
            word = word[:place] + r.choice(["=", "==", "-", ""]) + word[place + r.randrange(2):]
        return f"=?{charset}?{r.choice('Bb')}?{word}?="
    word = ""
    for octet in octets:
        c = chr(octet)
        word += "_" if c == " " else c if c.isalnum() and octet < 128 else f"={octet:02X}"
    if r.random() < 0.2:
        word = word.replace("=40", r.choice(["=KG", "=4", "=", "=4_", "=\uff14\uff10", "@"]))
    return f"=?{charset}?{r.choice('Qq')}?{word}?="


def name(r):
    """A display name of a few parts, each quoted, encoded, a comment, or bare."""
    words = []
    for _ in range(r.randrange(1, 4)):
        text = "".join(r.choice(PARTS) for _ in range(r.randrange(1, 5)))
        kind = r.randrange(6)
        plain = re.sub(r"[^ -~]", "", text)
        quoted = '"' + re.sub(r'([\\"])', r"\\\1", plain) + '"'
        comment = "(" + re.sub(r"[()\\]", "", plain) + ")"
        words.append((encoded(text, r), encoded(text, r), quoted, comment, f'"{encoded(text, r)}"', re.sub(r"[^a-z]", "", plain) or "x")[kind])
    return r.choice([" ", " ", ""]).join(words)
