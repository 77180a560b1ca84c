import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A command of the client with its tag and the properties from its row of the table.
struct TaggedCommand {
    let tag: ByteBuffer
    let command: Command
    var traits: CommandTraits
}

/// The properties of a command: when it is allowed, what its server must offer, and which responses
/// answer it.
struct CommandTraits {
    /// States of a client's connection (RFC 9051 §3).
    struct States: OptionSet {
        let rawValue: UInt8

        static let notAuthenticated = States(rawValue: 1)
        static let authenticated = States(rawValue: 2)
        static let selected = States(rawValue: 4)

        static let any: States = [.notAuthenticated, .authenticated, .selected]
        static let loggedIn: States = [.authenticated, .selected]
    }

    /// The name that the answer repeats: `OK FETCH completed`.
    var name: StaticText
    /// The states in which the command is allowed.
    var states: States
    /// Capabilities that the server of the mailbox must have. Those that the gateway can replace
    /// are not among them.
    var requiredCapabilities: [String] = []
    /// The event in the audit log; nil for a command that opens, changes and refuses nothing.
    var audited: AuditedCommand?
    /// Untagged responses that are part of its answer. Without the command they are withheld.
    var expected: DataKinds = []
    /// How long its server may be silent.
    var awaited = AwaitedAnswer.prompt
    /// Whether the command uses message sequence numbers, which EXPUNGE changes.
    var usesMessageNumbers = false
    /// Whether the command changes nothing, and may be sent again after the connection to the
    /// server ended.
    var isRepeatable = false
    /// Whether the command enables CONDSTORE: from then on the client gets mod-sequences in every
    /// FETCH response (RFC 7162 §3.1).
    var enablesModSeqs = false
    /// The answer while the empty INBOX is selected; nil if the command does not depend on the
    /// selected mailbox.
    var inEmptyInbox: EmptyInboxAnswer?
}

/// The audit event of a command.
struct AuditedCommand {
    var name: String
    /// The mailboxes that the command names.
    var mailboxes: [ClientMailbox] = []
    /// Whether the command operates on the selected mailbox.
    var isOnSelected = false
    /// Whether the command is recorded when it is permitted, too. For commands that read messages,
    /// one record counts the messages.
    var isRecordedWhenAllowed = false

    /// A command that is recorded only if it is refused.
    static func refused(_ name: String, of mailboxes: ClientMailbox...) -> AuditedCommand {
        AuditedCommand(name: name, mailboxes: mailboxes)
    }

    /// A command that is recorded whether it is permitted, refused or fails.
    static func always(_ name: String, of mailboxes: ClientMailbox...) -> AuditedCommand {
        AuditedCommand(name: name, mailboxes: mailboxes, isRecordedWhenAllowed: true)
    }

    /// The same event for a command on the selected mailbox.
    var onSelected: AuditedCommand {
        var audited = self
        audited.isOnSelected = true
        return audited
    }
}

/// The answer to a command on the selected mailbox while that is the empty INBOX.
enum EmptyInboxAnswer {
    case completed
    /// The mailbox is deselected.
    case left
    /// The mailbox has none of the messages that the command names. Missing UIDs are ignored, but a
    /// missing message number is an error (RFC 9051 §6.4.9).
    case noMessage(isUID: Bool)
    case notPermitted
    /// An empty result.
    /// - Parameter line: the untagged response without RETURN.
    case noResults(line: StaticString, returns: [SearchReturn]? = nil, isUID: Bool = false)
}
