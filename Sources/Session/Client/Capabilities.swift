/// What the gateway shows to clients: what it serves by itself, and of what servers offer the part
/// that the table of commands covers and every account in sight has.
enum Capabilities {
    /// Served here, whatever the servers can do.
    private static let served = [
        "IMAP4REV1", "LITERAL+", "ID", "ENABLE", "NAMESPACE", "IDLE", "UNSELECT", "CHILDREN",
        "LIST-EXTENDED", "LIST-STATUS", "LIST-MYRIGHTS", "SPECIAL-USE", "ACL", "RIGHTS=KXTE",
        "INPROGRESS",
    ]

    /// Carried out by the server of the mailbox.
    private static let forwarded = [
        "UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC", "ESEARCH", "SEARCHRES", "WITHIN", "SORT",
        "SORT=DISPLAY", "THREAD=REFERENCES", "THREAD=REFS", "THREAD=ORDEREDSUBJECT", "BINARY",
        "MULTIAPPEND", "PREVIEW", "SAVEDATE", "STATUS=SIZE", "QUOTA", "OBJECTID",
        "CREATE-SPECIAL-USE", "ESORT", "CONTEXT=SEARCH", "CONTEXT=SORT", "NOTIFY",
    ]

    /// What ENABLE may name.
    static let enableable: Set<String> = ["CONDSTORE", "QRESYNC"]

    /// As clients expect to read it: the protocol's name has lower-case letters.
    private static func spelled(_ capability: String) -> String {
        switch capability {
        case "IMAP4REV1": "IMAP4rev1"
        case "RIGHTS=KXTE": "RIGHTS=kxte"
        default: capability
        }
    }

    /// Before TLS no password is taken, so none is asked for (RFC 9051 §6.2.3, §11.7).
    static func beforeLogin(hasTLS: Bool) -> [String] {
        hasTLS
            ? ["IMAP4rev1", "SASL-IR", "LITERAL+", "ID", "AUTH=PLAIN"]
            : ["IMAP4rev1", "LITERAL+", "ID", "STARTTLS", "LOGINDISABLED"]
    }

    /// - Parameter profiles: of the accounts in sight whose servers are known.
    static func afterLogin(_ profiles: [UpstreamProfile]) -> [String] {
        let common = self.forwarded.filter { capability in
            !profiles.isEmpty && profiles.allSatisfy { $0.has(capability) }
        }
        return (self.served + common).map(self.spelled)
    }
}
