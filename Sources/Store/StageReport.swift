package import Access

/// What a staged import is, and what saving it would change.
package struct StageReport: Codable, Equatable, Sendable {
    /// One line of the two lists.
    package struct Line: Codable, Hashable, Sendable, Comparable {
        /// A login, or `anyone`.
        package var subject: String
        @Nullable package var via: String?
        package var rights: String
        package var send: String
        @Nullable package var folder: String?
        /// What Exchange denies: `view`, `send` or `view send`; empty for what it gives.
        package var denied: String

        package static func < (one: Line, other: Line) -> Bool {
            one.octets.lexicographicallyPrecedes(other.octets)
        }

        /// In words.
        var text: String {
            guard self.denied.isEmpty else { return "\(self.subject) denied \(self.denied)" }
            return "\(self.subject) \(self.rights.isEmpty ? "-" : self.rights) in "
                + "\(self.folder ?? "all"), send \(self.send)"
        }

        /// Octet for octet, as folders are compared everywhere.
        package static func == (one: Line, other: Line) -> Bool { one.octets == other.octets }

        package func hash(into hasher: inout Hasher) { hasher.combine(self.octets) }

        private var octets: [UInt8] {
            let parts = [
                self.subject, self.folder ?? "", self.via ?? "", self.send, self.rights,
                self.denied,
            ]
            return Array(parts.joined(separator: "\n").utf8)
        }
    }

    package var account: String
    /// Where it was loaded from.
    package var source: String
    package var author: String
    /// Seconds since 1970.
    package var loaded: Int64
    package var added: [Line]
    package var removed: [Line]
    package var unchanged: [Line]
    /// Those of the lines added and unchanged that have no effect, because it was withdrawn here.
    package var stillWithdrawn: [Line]
    /// What Exchange gives to everyone, and the administrator did not confirm.
    package var unconfirmed: [Line]
    package var unresolved: [ImportedPermissions.Unresolved]
    package var notes: [String]

    /// What saving changed, a line each.
    static func changes(_ reports: [StageReport]) -> [String] {
        reports.flatMap { report in
            report.removed.map { "- \(report.account) \($0.text)" }
                + report.added.map { "+ \(report.account) \($0.text)" }
        }
    }
}
