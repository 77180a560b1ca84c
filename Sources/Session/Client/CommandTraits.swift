import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A command of the client, with its tag and what its row of the table says of it.
struct TaggedCommand {
    let tag: ByteBuffer
    let command: Command
    var traits: CommandTraits
}

/// What the table says of a command: when it may be given, what its server must offer, and what is known of
/// its answer.
struct CommandTraits {
    /// The states of a client's connection (RFC 9051 §3).
    struct States: OptionSet {
        let rawValue: UInt8

        static let notAuthenticated = States(rawValue: 1)
        static let authenticated = States(rawValue: 2)
        static let selected = States(rawValue: 4)

        static let any: States = [.notAuthenticated, .authenticated, .selected]
        static let loggedIn: States = [.authenticated, .selected]
    }

    /// As the answer repeats it: `OK FETCH completed`.
    var name: StaticText
    var states: States
    /// Capabilities that the server of the mailbox must have; those without which the gateway carries out
    /// the command in another way are not among them.
    var requiredCapabilities: [String] = []
    /// What the audit log has of it; nil for a command that opens, changes and refuses nothing.
    var audited: AuditedCommand?
    /// Untagged responses that belong to its answer; without it they are withheld.
    var expected: DataKinds = []
    /// How long its server may be silent.
    var awaited = AwaitedAnswer.prompt
    /// Whether it names messages by their numbers, which an EXPUNGE changes.
    var usesMessageNumbers = false
    /// Whether it changes nothing, and may be given to a server once more whose session ended.
    var isRepeatable = false
    /// Whether the client shows by it that it wants mod-sequences in every FETCH response from now on
    /// (RFC 7162 §3.1).
    var enablesModSeqs = false
    /// Its answer where the selected mailbox is the empty INBOX; nil where it is not about that mailbox.
    var inEmptyInbox: EmptyInboxAnswer?
}

/// What the audit log has of a command.
struct AuditedCommand {
    var name: String
    /// The mailboxes that it names.
    var mailboxes: [ClientMailbox] = []
    /// Whether it is about the selected mailbox.
    var isOnSelected = false
    /// Whether it is recorded when it is carried out, too; reading is summed up.
    var isRecordedWhenAllowed = false

    /// A command that is recorded where it is refused.
    static func refused(_ name: String, of mailboxes: ClientMailbox...) -> AuditedCommand {
        AuditedCommand(name: name, mailboxes: mailboxes)
    }

    /// A command that is recorded whatever becomes of it.
    static func always(_ name: String, of mailboxes: ClientMailbox...) -> AuditedCommand {
        AuditedCommand(name: name, mailboxes: mailboxes, isRecordedWhenAllowed: true)
    }

    /// The same for a command on the selected mailbox.
    var onSelected: AuditedCommand {
        var audited = self
        audited.isOnSelected = true
        return audited
    }
}

/// How a command on the selected mailbox is answered where that is the empty INBOX.
enum EmptyInboxAnswer {
    case completed
    /// The mailbox is left.
    case left
    /// There is no message that it could name. UIDs that are not there are passed over; a message number
    /// that is not there is an error (RFC 9051 §6.4.9).
    case noMessage(isUID: Bool)
    case notPermitted
    /// - Parameter line: that there is no result, where the client asked for no others.
    case noResults(line: StaticString, returns: [SearchReturn]? = nil, isUID: Bool = false)
}
