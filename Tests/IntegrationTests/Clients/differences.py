"""What differs through the gateway, and why: the table that `comparison.py` holds the gateway to."""
import re
import typing

SERVERS = ("dovecot", "cyrus", "courier")
# Who uses an account through the gateway: its owner, a delegate below `Other Users`, a delegate who logs in with LOGIN/ACCOUNT.
PATHS = ("own", "shared", "account")
DELEGATES = ("shared", "account")


class Difference(typing.NamedTuple):
    """Lines in the answers to commands that begin like this, or like one of these.

    `- line` comes from the server alone, `+ line` from the gateway alone; `NO becomes BAD` is the tagged answer, without its text.
    """
    command: str | tuple
    line: str
    reason: str
    servers: tuple = SERVERS
    paths: tuple = PATHS
    # Only where all folders of the account but INBOX have a prefix on the server.
    prefixed: bool = False

    def explains(self, path, command, line):
        return path in self.paths and command.startswith(self.command) and re.fullmatch(self.line, line) is not None


COURIER, CYRUS, DOVECOT = ("courier",), ("cyrus",), ("dovecot",)
OWN = ("own",)
# Nothing outside of the account, which the comparison calls OUTSIDE.
LISTED = r'[+-] \* (LIST|LSUB) "(?!OUTSIDE).*'

CAPABILITIES = [
    Difference("CAPABILITY", r"- \* CAPABILITY (SASL-IR|LOGIN-REFERRALS|LOGINDISABLED|AUTH=PLAIN|MAILBOX-REFERRALS)",
               "Login is over, and the gateway follows no referral.", DOVECOT + CYRUS),
    Difference("CAPABILITY", r"- \* CAPABILITY (CATENATE|URL-PARTIAL|URLAUTH(=BINARY)?|METADATA|LIST-METADATA|ANNOTATE-EXPERIMENT-1|COMPRESS=DEFLATE)",
               "These commands name messages or folders where the gateway does not check them, or hide what it has to read.", DOVECOT + CYRUS),
    Difference("CAPABILITY", r"- \* CAPABILITY (X.*|SCAN|DIGEST=SHA1|NO_ATOMIC_RENAME|SORT=(MODSEQ|UID)|SEARCH=FUZZY|APPENDLIMIT=\d+|"
               r"(PREVIEW|SNIPPET)=FUZZY|I18NLEVEL=1|ACL2=UNION|UTF8=ACCEPT)", "The gateway offers only what it knows."),
    Difference("CAPABILITY", r"- \* CAPABILITY RIGHTS=(texk|kxten)", "Rights are the gateway's: `RIGHTS=kxte`.", DOVECOT + CYRUS),
    Difference("CAPABILITY", r"\+ \* CAPABILITY (INPROGRESS|RIGHTS=kxte)", "The gateway does this itself."),
    Difference("CAPABILITY", r"\+ \* CAPABILITY LIST-MYRIGHTS", "The gateway does this itself.", DOVECOT + COURIER),
    Difference("CAPABILITY", r"\+ \* CAPABILITY (ID|LIST-EXTENDED|LIST-STATUS|LITERAL\+|SPECIAL-USE|UNSELECT)", "The gateway does this itself.", COURIER),
    Difference("NAMESPACE", r"[+-] \* NAMESPACE .*", "The gateway shows its own namespaces; those of the server are hidden.", CYRUS + COURIER),
    Difference("NAMESPACE", r"[+-] \* NAMESPACE .*", "Whoever has a grant has the gateway's `Other Users` and `Shared`.", DOVECOT, ("shared",)),
    Difference("ID", r"[+-] \* ID .*", "The gateway gives its own name."),
    Difference("ID", "NO becomes OK", "The gateway answers ID itself.", COURIER),
]

FOLDERS = [
    Difference(("LIST", "LSUB"), "another order", "The gateway sorts folders; IMAP has no order for them."),
    Difference("", r"\+ \* (LIST|LSUB) .* \\Has(No)?Children", "The gateway always says whether a folder has others below it.", DOVECOT),
    Difference("LSUB", r"\+ \* LSUB .* \\HasNoChildren", "The gateway always says whether a folder has others below it.", CYRUS),
    Difference("LIST", r"\+ \* LIST .* \\Sent", "The gateway always tells special uses.", DOVECOT),
    Difference("LIST (SUBSCRIBED RECURSIVEMATCH)", r"[+-] \* LIST .* \(\"?CHILDINFO\"? \(\"SUBSCRIBED\"\)\)",
               "CHILDINFO is quoted, as in the examples of RFC 5258; both are right.", DOVECOT + CYRUS),
    Difference("LIST", r'- \* LIST "Sent" \\Sent', "Special uses are told of the user's own folders only.", DOVECOT, ("shared",)),
    Difference("LIST (SPECIAL-USE)", r'- \* LIST "Sent" "/"', "Special uses are told of the user's own folders only.", DOVECOT, ("shared",)),
    Difference(("LIST \"\" @", "LSUB \"\" @", "afterwards L"), r'\+ \* (LIST|LSUB) "INBOX" ("/"|\\HasNoChildren)',
               "The prefix of the server's folders is not shown: what matches them all matches INBOX, too.", CYRUS + COURIER, prefixed=True),
    Difference("LIST \"\" @A* RETURN (MYRIGHTS)", rf"BAD becomes OK|{LISTED}", "Dovecot does not know LIST-MYRIGHTS; the gateway does it itself.", DOVECOT),
    Difference(("LIST (", "LIST \"\" (", "LIST \"\" @* RETURN", "LIST \"\" @A* RETURN"), "(?!.*OUTSIDE).*",
               "Courier does not know LIST-EXTENDED, and refuses it or lists everything; the gateway does it itself.", COURIER),
    Difference("CREATE @Tief/a/b", r"OK.* becomes NO \[NONEXISTENT\]", "Others than the owner create nothing below a name that is not listed.", paths=DELEGATES),
    Difference("DELETE @Tief", r"(OK|NO) becomes NO \[NONEXISTENT\]", "The folder was not created; see CREATE.", paths=DELEGATES),
    Difference("DELETE @Akten/Neu", "NO becomes OK", "Courier makes no folder whose name ends in a delimiter; the gateway takes the delimiter off.", COURIER),
    Difference("DELETE @INBOX", r"NO becomes NO \[CANNOT\]", "The gateway itself refuses to delete INBOX."),
    Difference("RENAME", r"- \* OK", "Cyrus reports its progress without a code; the gateway keeps back text that answers nothing.", CYRUS),
    Difference("RENAME @INBOX", r"- CLOSED EOFError|\+ TAG NO \[UNAVAILABLE\]", "Cyrus closes the connection; the gateway keeps the client's.", CYRUS),
    Difference("CREATE @Besonders", r"(OK.*|NO) becomes NO \[NOPERM\]", "Only the owner gives a folder a special use.", paths=DELEGATES),
    Difference("CREATE @Besonders", r"OK becomes NO \[USEATTR\]", "Dovecot passes over a special use that it cannot give; the gateway refuses it.", DOVECOT, OWN),
    Difference("CREATE @Besonders", r"NO becomes NO \[USEATTR\]", "Courier gives no special uses; the gateway says so.", COURIER, OWN),
    Difference("LSUB \"\" @*", r'- \* LSUB "Akten" .*',
               "Courier shows unsubscribed parents for `*`, too; the gateway shows them for `%` alone (RFC 3501 §6.3.9).", COURIER, OWN),
    Difference("DELETE @Besonders", r"OK becomes NO \[NONEXISTENT\]", "The folder was not created; see CREATE.", DOVECOT),
    Difference("afterwards LIST", r"- \* LIST \"Besonders\" .*", "The folder was not created; Cyrus deletes none that has a special use.", CYRUS, DELEGATES),
    Difference("SUBSCRIBE @Fehlt", r"(OK|NO) becomes NO \[NONEXISTENT\]", "Subscriptions of others' folders are the gateway's, of folders that exist.", paths=DELEGATES),
    Difference(("LSUB", "LIST (SUBSCRIBED", "LIST \"\" @* RETURN (SUBSCRIBED"), LISTED, "A delegate's subscriptions are the delegate's own.", paths=DELEGATES),
    Difference("afterwards LSUB", LISTED, "A delegate's subscriptions are not the account's.", DOVECOT + COURIER, DELEGATES),
]

MISSING = [
    Difference("", r"NO becomes NO \[(NONEXISTENT|TRYCREATE)\]", "To everybody but the owner a folder that is missing, and one that is hidden, are answered alike, by the gateway.",
               paths=DELEGATES),
    Difference("RENAME @Fehlt", r"OK becomes NO \[NONEXISTENT\]", "Courier renames what does not exist; the gateway looks first.", COURIER, DELEGATES),
]

MESSAGES = [
    Difference("", r"NO becomes NO \[CANNOT\]", "The server does not have this extension; the gateway says so.", COURIER),
    Difference("", r"BAD becomes NO \[CANNOT\]", "The server does not have this extension; the gateway says so.", DOVECOT + CYRUS),
    Difference("FETCH 3 BINARY", r"NO becomes NO \[UNKNOWN-CTE\]", "The server does not have this extension; the gateway says so.", COURIER),
    Difference(("SEARCH RETURN (SAVE)", "FETCH $", "SEARCH 1:2 NOT $"), r"(NO|BAD) becomes NO \[NOTSAVED\]",
               "The server does not have this extension; the gateway says so.", CYRUS + COURIER),
    Difference(("SEARCH RETURN", "UID SEARCH RETURN", "SORT RETURN"), r"NO becomes OK|\+ \* ESEARCH .*",
               "The server does not know RETURN; the gateway writes the answer itself.", COURIER),
    Difference(("SELECT @Archiv (CONDSTORE)", "STATUS @Akten (HIGHESTMODSEQ)", "STATUS @Archiv (MESSAGES HIGHESTMODSEQ)"),
               r"NO becomes OK \[READ-WRITE\]|\+ \* (FLAGS|OK|\d (EXISTS|RECENT)|STATUS).*",
               "The server has no mod-sequences; the gateway says so as RFC 7162 §3.1.2.2 and §3.1.7 have it.", COURIER),
    Difference("STATUS", r"OK becomes NO \[CANNOT\]|- \* STATUS (\"Akten\" \(\)|\"Archiv\" \(MESSAGES 2\))", "Courier passes over what it does not know; the gateway refuses it.", COURIER),
    Difference("STATUS @Akten (NONSENSE)", "OK becomes BAD", "Courier passes over what it does not know; the gateway refuses it.", COURIER),
    Difference("", "NO becomes BAD", "The gateway checks the grammar itself; where that is broken the answer is BAD.", CYRUS + COURIER),
    Difference("GETMETADATA", r"(OK|NO|NO \[CANNOT\]) becomes BAD|- \* METADATA .*", "The gateway does not offer it."),
    Difference("FETCH 0", r"(NO|OK) becomes BAD", "There is no message 0; the gateway refuses it as the grammar does.", CYRUS + COURIER),
    Difference("SEARCH CHARSET NONSENSE", r"(NO \[BADCHARSET\]|BAD) becomes NO \[BADCHARSET \(US-ASCII UTF-8\)\]", "The gateway itself refuses other charsets."),
    Difference(("FETCH", "STORE"), r"- \* NO", "Courier warns that a message is not there; the gateway keeps back text that answers nothing.", COURIER),
    Difference(("STORE 2 +FLAGS (\\Deleted)", "Expunge"), r"(OK|NO) becomes NO \[NOPERM\]",
               "What is opened with EXAMINE is not changed; the gateway itself refuses it."),
    Difference(("SELECT", "EXAMINE"), r"- \* OK \[(URLMECH|ANNOTATIONS|MYRIGHTS) .*\]", "Codes of extensions that the gateway does not offer.", CYRUS + COURIER),
    Difference("ENABLE NONSENSE", r"\+ \* ENABLED", "The gateway tells that nothing was enabled, as RFC 5161 wants it.", DOVECOT + CYRUS),
    Difference(("MOVE", "UID MOVE"), r"NO becomes (OK|NO \[TRYCREATE\])|\+ \* (OK \[COPYUID N \d \d\]|\d (EXPUNGE|EXISTS|RECENT))",
               "Where the server has no MOVE, the gateway copies, and removes the originals.", COURIER),
    Difference(("STATUS @Quelle (MESSAGES)", "STATUS @Ziel (MESSAGES)"), r"[+-] \* STATUS \"(Quelle|Ziel)\" \(MESSAGES [02]\)",
               "The messages were moved; see MOVE.", COURIER),
    Difference("UNSELECT", "NO becomes OK", "Courier does not know UNSELECT; the gateway does it itself.", COURIER),
]

TOLD = ("MYRIGHTS", "GETACL", "LISTRIGHTS", "LIST \"\" @A* RETURN (MYRIGHTS)")
GRANTS = "Rights are those of the gateway's grants, whatever the server keeps."
RIGHTS = [
    Difference(TOLD, r"- \* (MYRIGHTS|ACL|LISTRIGHTS) .*", GRANTS),
    Difference(TOLD, r'\+ \* (MYRIGHTS "[^"]*"|ACL "[^"]*" clara@kanzlei.example) lrswipkxtea', GRANTS, paths=OWN),
    Difference("LISTRIGHTS", r'\+ \* LISTRIGHTS "[^"]*" anyone "" l r s w i p k x t e', GRANTS, paths=OWN),
    Difference(TOLD, r'\+ \* MYRIGHTS "[^"]*" lrswipkxte', GRANTS, paths=DELEGATES),
    Difference("MYRIGHTS @Fehlt", r"NO becomes OK", "An owner has every right on every name.", CYRUS + COURIER, OWN),
    Difference("MYRIGHTS @Fehlt", r"OK becomes NO \[NONEXISTENT\]", "Dovecot tells rights on what does not exist.", DOVECOT, DELEGATES),
    Difference(("GETACL", "LISTRIGHTS"), r"OK becomes NO \[NOPERM\]", "Only the owner sees who has rights.", paths=DELEGATES),
    Difference("GETQUOTAROOT", r"OK becomes NO \[NOPERM\]|- \* QUOTA(ROOT)? .*", "Only the owner sees the quota.", paths=DELEGATES),
    Difference("GETQUOTA ", r"(OK|NO) becomes NO \[NOPERM\]|[+-] \* QUOTA .*", "A delegate's quota is that of the delegate's own account.", paths=DELEGATES),
    Difference("GETQUOTA", r"[+-] \* QUOTA(ROOT)? .*",
               "The gateway writes a quota's name without quotes where it needs none, and an empty list where Courier has none.", COURIER, OWN),
]

DIFFERENCES = CAPABILITIES + FOLDERS + MISSING + MESSAGES + RIGHTS

# Faults that are known; each goes when it is mended.
NOT_YET = []
