/// One decision or change, as the audit log keeps it: names are those of its moment, and no subject
/// line and no text of a message is ever in it.
package struct AuditRecord: Codable, Equatable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        case allowed
        case refused
        /// What should have been done, and broke.
        case failed
    }

    /// `login`, the name of a command in lower case, `send`, `change`, `session end`, …
    package var event: String
    package var outcome: Outcome
    /// A login, or the operating-system user of a command.
    package var actor: String
    /// The client's network address, or `command line`.
    package var from: String?
    /// The primary address.
    package var account: String?
    package var folder: String?
    /// Where messages went.
    package var targetAccount: String?
    package var targetFolder: String?
    /// Messages.
    package var count: Int?
    /// Which grants or rules decided: `owner`, `grant 12 to group:Sekretariat`, `wall`, …
    package var because: [String]?
    /// What a change changed, a line each.
    package var detail: [String]?

    package init(event: String, outcome: Outcome = .allowed, actor: String, from: String? = nil) {
        self.event = event
        self.outcome = outcome
        self.actor = actor
        self.from = from
    }
}
