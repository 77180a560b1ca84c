import Access

/// A grant as `gatepost grant list` prints it, in text and in JSON.
package struct GrantRow: Codable, Equatable, Sendable {
    /// The grant's number, which `gatepost consent` takes. A number is never used twice.
    package var id: Int64
    /// The primary address of the account.
    package var account: String
    /// A login, `group:NAME`, or `anyone` for every user of the gateway.
    package var subject: String
    /// The letters of the rights (RFC 4314 §2.1); empty for none.
    package var rights: String
    /// `none`, `on-behalf` or `as`.
    package var send: String
    /// The folder's path; nil for the whole account.
    @Nullable package var folder: String?
    /// Whether the folders below ``folder`` are included.
    package var subtree: Bool
    /// `local` for a grant made here, `exchange` for an imported one.
    package var source: String
    /// The Exchange group through which the user has the right.
    @Nullable package var via: String?
    /// False for a grant that waits for confirmation: by the owner for a local one, by the
    /// administrator for one that Exchange gives to everyone.
    package var confirmed: Bool
    /// When the grant ends, in seconds since 1970; nil for a grant without an end.
    @Nullable package var until: Int64?
    /// Who made the grant.
    package var author: String
    /// When the grant was made, in seconds since 1970.
    package var created: Int64
    /// The reason that the author gave.
    @Nullable package var reason: String?
    /// The sides that have no effect because of a withdrawal: `view`, `send` or `view send`;
    /// nil without one.
    @Nullable package var withdrawn: String?
}

/// A grant as the audit log and notices describe it.
extension GrantRow {
    /// Whether the grant waits for the owner's confirmation. Imported grants wait for the
    /// administrator instead.
    package var isPending: Bool { !self.confirmed && self.source == Source.local.rawValue }

    /// One line for the audit log: `ACCOUNT SUBJECT RIGHTS [in FOLDER [and below]], send
    /// RIGHT`.
    var line: String {
        let place = self.folder.map { " in \($0)\(self.subtree ? " and below" : "")" } ?? ""
        return
            "\(self.account) \(self.subject) \(self.rights.isEmpty ? "-" : self.rights)\(place), "
            + "send \(self.send)"
    }
}
