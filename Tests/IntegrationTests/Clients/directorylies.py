"""What a directory may do when Clara logs in, and how the gateway answers: rows of a name, the operation whose answer is
replaced, the answer, the password of the login, and the answer to it (lyingdirectory.py)."""
from lyingdirectory import (
    BOUND, DONE, EXTENDED_DONE, INVALID_CREDENTIALS, PROTOCOL_ERROR, SASL_IN_PROGRESS, cut, element, entry, found,
    identity, ignored, message, reference, referral, result)
from scenarios import BOB, CLARA
from slapd import PEOPLE

REFUSED = b"NO [AUTHENTICATIONFAILED] Login failed"
UNAVAILABLE = b"NO [UNAVAILABLE] "
CLARAS, BOBS = f"uid=clara,{PEOPLE}", f"uid=bob,{PEOPLE}"

# A login is refused where the directory has decided: it has no entry, or the password opens none.
# Where it has not decided, or contradicts itself, the login is unavailable: her password may be right, no later source may
# decide in its place, and the administrator reads the reason.
LIES = [
    ("Bob's entry", "search", lambda c, r: c.send(found(r.id, entry(r.id, BOBS, BOB))), "Haus-18", UNAVAILABLE),
    ("Bob's entry, and hers", "search",
     lambda c, r: c.send(found(r.id, entry(r.id, BOBS, BOB), entry(r.id, CLARAS, CLARA))), "Haus-18", REFUSED),
    ("two entries with her login", "search",
     lambda c, r: c.send(found(r.id, entry(r.id, BOBS, BOB, CLARA), entry(r.id, CLARAS, CLARA))), "Haus-18", UNAVAILABLE),
    ("more entries than any filter should match", "search",
     lambda c, r: c.send(found(r.id, *[entry(r.id, CLARAS, CLARA)] * 11)), "Baum-17", UNAVAILABLE),
    ("an entry without a login", "search", lambda c, r: c.send(found(r.id, entry(r.id, BOBS))), "Haus-18", UNAVAILABLE),
    ("her login with a space", "search",
     lambda c, r: c.send(found(r.id, entry(r.id, BOBS, f"{CLARA} "))), "Haus-18", UNAVAILABLE),
    # Every search from the root of Active Directory has references: they say nothing about Clara.
    ("a reference", "search", lambda c, r: c.send(found(r.id, reference(r.id))), "Baum-17", REFUSED),
    ("a referral of the search", "search", lambda c, r: c.send(referral(r.id, DONE)), "Baum-17", UNAVAILABLE),
    # A bind without a name succeeds as nobody.
    ("an entry without a name", "search", lambda c, r: c.send(found(r.id, entry(r.id, "", CLARA))), "anything", UNAVAILABLE),
    ("an answer to another search", "search",
     lambda c, r: ignored(c, found(r.id + 1, entry(r.id + 1, CLARAS, CLARA))), "Baum-17", UNAVAILABLE),
    ("the answer to a bind instead of a search", "search", lambda c, r: c.send(result(r.id, BOUND)), "Baum-17", UNAVAILABLE),
    ("half an entry", "search", lambda c, r: cut(c, entry(r.id, CLARAS, CLARA)), "Baum-17", UNAVAILABLE),
    ("an entry without the end of the search", "search",
     lambda c, r: cut(c, entry(r.id, CLARAS, CLARA) + found(r.id)), "Baum-17", UNAVAILABLE),
    ("a success before the bind", "search",
     lambda c, r: c.send(found(r.id, entry(r.id, CLARAS, CLARA)) + result(r.id + 1, BOUND)), "Haus-18", UNAVAILABLE),
    ("the gateway's account is refused", "account",
     lambda c, r: c.send(result(r.id, BOUND, INVALID_CREDENTIALS)), "Baum-17", UNAVAILABLE),
]
LIES_ABOUT_BINDS = [
    ("a success for another bind", "person", lambda c, r: ignored(c, result(r.id + 1, BOUND)), "Haus-18", UNAVAILABLE),
    ("a success of an extended operation", "person", lambda c, r: c.send(result(r.id, EXTENDED_DONE)), "Haus-18", UNAVAILABLE),
    ("a referral of the bind", "person", lambda c, r: c.send(referral(r.id, BOUND)), "Baum-17", UNAVAILABLE),
    ("a bind that goes on", "person", lambda c, r: c.send(result(r.id, BOUND, SASL_IN_PROGRESS)), "Baum-17", UNAVAILABLE),
    ("half a success", "person", lambda c, r: cut(c, result(r.id, BOUND)), "Baum-17", UNAVAILABLE),
    ("a success without a result", "person", lambda c, r: c.send(message(r.id, element(BOUND))), "Baum-17", UNAVAILABLE),
    # A notice of disconnection with an empty name ends programs with an assertion.
    ("an end without a name", "person", lambda c, r: c.send(result(0, EXTENDED_DONE, 52, element(0x8A))), "Baum-17", UNAVAILABLE),
    ("a message of four gigabytes", "person", lambda c, r: c.send(b"\x30\x84\xFF\xFF\xFF\xFF\x02"), "Baum-17", UNAVAILABLE),
    # "Who am I?" tells the truth.
    # With a search, the gateway's account gets the success, and her bind is refused.
    ("a success before any bind", "connect", lambda c, _: c.send(result(1, BOUND)), "Haus-18", (REFUSED, UNAVAILABLE)),
    ("success for every password", "person", lambda c, r: c.send(result(r.id, BOUND)), "Haus-18", UNAVAILABLE),
    ("Bob is logged in", "identity", lambda c, r: c.send(identity(r.id, f"dn:{BOBS}")), "Baum-17", UNAVAILABLE),
    ("an entry below hers is logged in", "identity",
     lambda c, r: c.send(identity(r.id, f"dn:cn=x,{CLARAS}")), "Baum-17", UNAVAILABLE),
    ("nobody is logged in", "identity", lambda c, r: c.send(identity(r.id, "dn:")), "Baum-17", UNAVAILABLE),
    ("no word of an identity", "identity", lambda c, r: c.send(identity(r.id, CLARAS)), "Baum-17", UNAVAILABLE),
    ("half an identity", "identity", lambda c, r: cut(c, identity(r.id, f"dn:{CLARAS}")), "Baum-17", UNAVAILABLE),
    ("an identity that nobody asked for", "identity",
     lambda c, r: ignored(c, identity(r.id + 1, f"dn:{CLARAS}")), "Baum-17", UNAVAILABLE),
]
# What an honest directory may do; the last ones with a search.
HONEST = [
    ("nothing but the truth", "none", None),
    ("no operation \"Who am I?\"", "identity", lambda c, r: c.send(result(r.id, EXTENDED_DONE, PROTOCOL_ERROR))),
    ("another spelling of her name", "identity", lambda c, r: c.send(identity(r.id, f"dn:UID=Clara, {PEOPLE.upper()}"))),
]
MATCHES = [
    ("a reference beside her entry", "search",
     lambda c, r: c.send(found(r.id, reference(r.id), entry(r.id, CLARAS, CLARA)))),
    ("a filter that matches Bob, too", "search",
     lambda c, r: c.send(found(r.id, entry(r.id, BOBS, BOB), entry(r.id, CLARAS, CLARA)))),
]
