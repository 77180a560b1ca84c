import Access

/// An entry of a document, which is compared octet for octet.
protocol DocumentEntry: Encodable, Equatable {
    /// Every text in the entry, in the same order for two entries that are equal.
    var texts: [String?] { get }
    /// Writes the object with the keys in order, as an encoder does. An entry that writes nothing
    /// is encoded.
    func write(_ line: inout PlainLine)
}

extension DocumentEntry {
    /// Leaves the entry to the encoder: a store has few of these.
    func write(_ line: inout PlainLine) {}

    /// Whether two entries are equal octet for octet. `==` of texts is also true for another
    /// Unicode normalization form.
    func isSame(as other: Self) -> Bool {
        self == other
            && self.texts.elementsEqual(other.texts) {
                $0.map(ExactText.init) == $1.map(ExactText.init)
            }
    }
}

extension UserRow: DocumentEntry {
    var texts: [String?] { [self.login, self.name, self.role, self.osUser] }

    func write(_ line: inout PlainLine) {
        line.entry { line in
            line.member("disabled", literal: "\(self.disabled)")
            line.member("login", text: self.login)
            line.member("name", nullable: self.name)
            line.member("osUser", nullable: self.osUser)
            line.member("role", nullable: self.role)
        }
    }
}

extension GroupRow: DocumentEntry {
    var texts: [String?] { [self.name, self.ldap] + self.members }

    func write(_ line: inout PlainLine) {
        line.entry { line in
            line.member("ldap", optional: self.ldap)
            line.member("members", texts: self.members)
            line.member("name", text: self.name)
        }
    }

    /// Whether two groups have the same members, in any order. Those of a group of the directory are
    /// what was read last.
    func hasMembers(of other: GroupRow) -> Bool {
        guard self.ldap.map(ExactText.init) == other.ldap.map(ExactText.init) else { return false }
        guard self.ldap == nil else { return true }
        return self.members.count == other.members.count
            && Set(self.members.map(ExactText.init)) == Set(other.members.map(ExactText.init))
    }
}

extension ModelDocument.Account: DocumentEntry {
    var texts: [String?] {
        [
            self.address, self.kind, self.owner, self.imap.host, self.imap.tls, self.smtp?.host,
            self.smtp?.tls, self.sentCopy, self.username, self.caFile,
        ] + (self.aliases ?? [])
    }

    func write(_ line: inout PlainLine) {
        line.entry { line in
            line.member("address", text: self.address)
            line.member("aliases", texts: self.aliases)
            line.member("caFile", optional: self.caFile)
            line.member("imap", server: self.imap)
            line.member("kind", text: self.kind)
            line.member("owner", nullable: self.owner)
            line.member("sentCopy", optional: self.sentCopy)
            if let required = self.sentCopyRequired {
                line.member("sentCopyRequired", literal: "\(required)")
            }
            line.member("smtp", server: self.smtp)
            if self.smtp == nil { line.member("smtp", literal: "null") }
            line.member("username", optional: self.username)
        }
    }
}

extension ModelDocument.Grant: DocumentEntry {
    var texts: [String?] {
        var folder: String?
        if case .folder(let name, _) = self.scope { folder = name }
        return [
            self.account, self.subject, self.rights, self.send, folder, self.source, self.reason,
        ]
    }

    func write(_ line: inout PlainLine) {
        line.entry { line in
            line.member("account", text: self.account)
            if let confirmed = self.confirmed {
                line.member("confirmed", literal: "\(confirmed)")
            }
            line.member("reason", nullable: self.reason)
            line.member("rights", optional: self.rights)
            line.member("scope", scope: self.scope)
            line.member("send", optional: self.send)
            line.member("source", optional: self.source)
            line.member("subject", text: self.subject)
            line.member("until", literal: self.until.map { "\($0)" } ?? "null")
        }
    }
}

extension ModelDocument.Withdrawal: DocumentEntry {
    var texts: [String?] { [self.account, self.subject] }
}

extension ModelDocument.Wall: DocumentEntry {
    var texts: [String?] { [self.account, self.subject, self.reason] }
}
