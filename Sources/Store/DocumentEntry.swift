import Access

/// An entry of a document, which is compared octet for octet.
protocol DocumentEntry: Encodable, Equatable {
    /// Every text in the entry, in the same order for two entries that are equal.
    var texts: [String?] { get }
}

extension DocumentEntry {
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
}

extension GroupRow: DocumentEntry {
    var texts: [String?] { [self.name] + self.members }

    /// Whether two groups have the same members, in any order.
    func hasMembers(of other: GroupRow) -> Bool {
        self.members.count == other.members.count
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
}

extension ModelDocument.Grant: DocumentEntry {
    var texts: [String?] {
        var folder: String?
        if case .folder(let name, _) = self.scope { folder = name }
        return [
            self.account, self.subject, self.rights, self.send, folder, self.source, self.reason,
        ]
    }
}

extension ModelDocument.Withdrawal: DocumentEntry {
    var texts: [String?] { [self.account, self.subject] }
}

extension ModelDocument.Wall: DocumentEntry {
    var texts: [String?] { [self.account, self.subject, self.reason] }
}
