/// One access, refusal or change in the audit log.
///
/// Names are those of the record's time. A record never contains a subject line or message text.
package struct AuditRecord: Codable, Equatable, Sendable {
    /// The result of the access or the change.
    package enum Outcome: String, Codable, Sendable {
        case allowed
        case refused
        /// It was allowed, but an error prevented it.
        case failed
    }

    /// `login`, the name of a command in lower case, `send`, `change`, `session end`, …
    package var event: String
    /// The result.
    package var outcome: Outcome
    /// A login, or the operating-system user of a command.
    package var actor: String
    /// The client's network address, or `command line`.
    package var from: String?
    /// The account's primary address.
    package var account: String?
    /// The folder's path in the account.
    package var folder: String?
    /// The account and the folder that messages were copied or moved to.
    package var targetAccount: String?
    package var targetFolder: String?
    /// The number of messages.
    package var count: Int?
    /// The rules that decided: `owner`, `grant 12 to group:Sekretariat`, `wall before …`.
    package var because: [String]?
    /// The changes of a change record, a line each.
    package var detail: [String]?

    package init(event: String, outcome: Outcome = .allowed, actor: String, from: String? = nil) {
        self.event = event
        self.outcome = outcome
        self.actor = actor
        self.from = from
    }
}
