/// What the gateway shows to clients: what it serves by itself, and what the personal account's server
/// offers, as far as the table of commands covers it.
///
/// Another account's server may have less. What it lacks never reaches it: the command is translated or
/// refused (`ClientSession+MissingCapabilities`).
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

    /// - Parameters:
    ///   - personal: of the personal account, or of the one that `LOGIN/ACCOUNT` names; nil where there
    ///     is none, or nothing is known of its server.
    ///   - profiles: of the accounts in sight whose servers are known. Without a personal account that is
    ///     shown which all of them have.
    static func afterLogin(
        personal: UpstreamProfile?,
        among profiles: [UpstreamProfile]
    ) -> [String] {
        let deciding = personal.map { [$0] } ?? profiles
        let offered = self.forwarded.filter { capability in
            !deciding.isEmpty && deciding.allSatisfy { $0.has(capability) }
        }
        return (self.served + offered).map(self.spelled)
    }
}
