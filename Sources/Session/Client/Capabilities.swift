import IMAP

/// The capabilities that the gateway announces: those that it implements itself, and those that the
/// personal account's server offers, as far as the command table covers them.
///
/// The server of another account may offer less. A command that needs a missing capability never
/// reaches that server: the gateway translates the command or refuses it
/// (`ClientSession+MissingCapabilities`).
enum Capabilities {
    /// Capabilities that the gateway implements itself, for every server.
    private static let served = [
        "IMAP4REV1", "LITERAL+", "ID", "ENABLE", "NAMESPACE", "IDLE", "UNSELECT", "CHILDREN",
        "LIST-EXTENDED", "LIST-STATUS", "LIST-MYRIGHTS", "SPECIAL-USE", "ACL", "RIGHTS=KXTE",
        "INPROGRESS",
    ]

    /// Capabilities that the server of the mailbox has to implement.
    private static let forwarded = [
        "UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC", "ESEARCH", "SEARCHRES", "WITHIN", "SORT",
        "SORT=DISPLAY", "THREAD=REFERENCES", "THREAD=REFS", "THREAD=ORDEREDSUBJECT", "BINARY",
        "MULTIAPPEND", "PREVIEW", "SAVEDATE", "STATUS=SIZE", "QUOTA", "OBJECTID",
        "CREATE-SPECIAL-USE", "ESORT", "CONTEXT=SEARCH", "CONTEXT=SORT", "NOTIFY",
    ]

    /// Capabilities that ENABLE accepts (RFC 5161 §3.1).
    static let enableable: Set<String> = ["CONDSTORE", "QRESYNC"]

    /// The spelling that clients expect: two names of the protocol have lower-case letters.
    private static func spelled(_ capability: String) -> String {
        switch capability {
        case "IMAP4REV1": "IMAP4rev1"
        case "RIGHTS=KXTE": "RIGHTS=kxte"
        default: capability
        }
    }

    /// The capabilities before login. Without TLS, LOGINDISABLED is announced and no mechanism,
    /// because the gateway accepts no password (RFC 9051 §6.2.3, §11.7).
    /// - Parameter methods: what the gateway can check.
    static func beforeLogin(hasTLS: Bool, methods: LoginMethods) -> [String] {
        guard hasTLS else { return ["IMAP4rev1", "LITERAL+", "ID", "STARTTLS", "LOGINDISABLED"] }
        return ["IMAP4rev1", "SASL-IR", "LITERAL+", "ID"]
            + (methods.takesPasswords ? [] : ["LOGINDISABLED"])
            + methods.imapMechanisms.map { "AUTH=\($0)" }
    }

    /// The capabilities after login.
    /// - Parameters:
    ///   - personal: the profile of the personal account's server, or of the account that
    ///     `LOGIN/ACCOUNT` names. Nil without such an account, and while its server is unknown.
    ///   - profiles: the profiles of all visible accounts whose servers are known. Without
    ///     `personal`, the result has the forwarded capabilities that all of them offer.
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

extension LoginMethods {
    /// The limits of commands before login.
    var readerLimits: CommandReader.Limits {
        self.tokens == nil ? .beforeLogin : .beforeTokenLogin
    }
}
