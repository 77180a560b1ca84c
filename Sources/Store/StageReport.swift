package import Access

/// A staged import and the changes that saving it makes, as `gatepost permissions` prints it.
package struct StageReport: Codable, Equatable, Sendable {
    /// One entry of an Exchange permission list.
    package struct Line: Codable, Hashable, Sendable, Comparable {
        /// A login, or `anyone` for every user of the gateway.
        package var subject: String
        /// The Exchange group through which the user has the right; nil for a direct entry.
        @Nullable package var via: String?
        /// The letters of the rights (RFC 4314 §2.1).
        package var rights: String
        /// `none`, `on-behalf` or `as`.
        package var send: String
        /// The folder's path; nil for the whole account.
        @Nullable package var folder: String?
        /// What Exchange denies: `view`, `send` or `view send`; empty for an entry that allows.
        package var denied: String

        /// The order of the lines in a report.
        package static func < (one: Line, other: Line) -> Bool {
            one.octets.lexicographicallyPrecedes(other.octets)
        }

        /// One line for the audit log.
        var text: String {
            guard self.denied.isEmpty else { return "\(self.subject) denied \(self.denied)" }
            return "\(self.subject) \(self.rights.isEmpty ? "-" : self.rights) in "
                + "\(self.folder ?? "all"), send \(self.send)"
        }

        /// Compares octet for octet, as folder names are compared everywhere: Swift's `String`
        /// would treat two Unicode normalization forms as equal.
        package static func == (one: Line, other: Line) -> Bool { one.octets == other.octets }

        /// Hashes the octets that ``==(_:_:)`` compares.
        package func hash(into hasher: inout Hasher) { hasher.combine(self.octets) }

        /// All fields, separated by LF.
        private var octets: [UInt8] {
            let parts = [
                self.subject, self.folder ?? "", self.via ?? "", self.send, self.rights,
                self.denied,
            ]
            return Array(parts.joined(separator: "\n").utf8)
        }
    }

    /// The primary address of the account.
    package var account: String
    /// Where the permissions were loaded from.
    package var source: String
    /// Who loaded them.
    package var author: String
    /// When they were loaded, in seconds since 1970.
    package var loaded: Int64
    /// Lines that saving adds.
    package var added: [Line]
    /// Lines that saving removes.
    package var removed: [Line]
    /// Lines that are saved already.
    package var unchanged: [Line]
    /// Loaded lines without effect, because of a local withdrawal.
    package var stillWithdrawn: [Line]
    /// Lines that give something to everyone and that no administrator confirmed yet.
    package var unconfirmed: [Line]
    /// Entries whose name in Exchange matches no user of the gateway, or more than one. They
    /// give nothing.
    package var unresolved: [ImportedPermissions.Unresolved]
    /// Remarks for the administrator, such as walls that bar a loaded user.
    package var notes: [String]

    /// The changes of saving some stages, one line each, for the audit log.
    static func changes(_ reports: [StageReport]) -> [String] {
        reports.flatMap { report in
            report.removed.map { "- \(report.account) \($0.text)" }
                + report.added.map { "+ \(report.account) \($0.text)" }
        }
    }
}
