package import struct NIOCore.ByteBuffer

/// `STATUS Akten (MESSAGES UNSEEN)` (RFC 9051 §6.3.11).
package struct Status: Equatable, Sendable {
    package var mailbox: ClientMailbox
    /// The requested items, each once.
    package var items: [StatusItem]

    package init(mailbox: ClientMailbox, items: [StatusItem]) {
        self.mailbox = mailbox
        self.items = items
    }

    package func encode(into encoder: inout CommandEncoder, mailbox: ByteBuffer) {
        encoder.write(word: "STATUS")
        encoder.write(mailbox: mailbox)
        encoder.open()
        for item in self.items { encoder.write(word: item.word) }
        encoder.close()
    }
}

/// An item of STATUS (RFC 9051 §6.3.11 and its extensions).
package enum StatusItem: CaseIterable, Hashable, Sendable {
    case messages
    case recent
    case uidNext
    case uidValidity
    case unseen
    case deleted
    case size
    case highestModSeq
    case appendLimit
    case mailboxID

    /// The item's name on the wire.
    package var word: StaticString {
        switch self {
        case .messages: "MESSAGES"
        case .recent: "RECENT"
        case .uidNext: "UIDNEXT"
        case .uidValidity: "UIDVALIDITY"
        case .unseen: "UNSEEN"
        case .deleted: "DELETED"
        case .size: "SIZE"
        case .highestModSeq: "HIGHESTMODSEQ"
        case .appendLimit: "APPENDLIMIT"
        case .mailboxID: "MAILBOXID"
        }
    }

    /// The capability that a server needs for the item.
    package var requiredCapability: String? {
        switch self {
        case .messages, .recent, .uidNext, .uidValidity, .unseen: nil
        case .deleted: "IMAP4REV2"
        case .size: "STATUS=SIZE"
        case .highestModSeq: "CONDSTORE"
        case .appendLimit: "APPENDLIMIT"
        case .mailboxID: "OBJECTID"
        }
    }

    /// - Returns: nil for an unknown name; case does not matter.
    package init?(_ name: ByteBuffer) {
        guard let item = Self.allCases.first(where: { name.equals(word: $0.word) }) else {
            return nil
        }
        self = item
    }
}

extension Cursor {
    ///     status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    mutating func status() throws(SyntaxError) -> Status {
        let mailbox = try self.mailbox()
        try self.expectBlank()
        let items = try self.statusItems()
        try self.expectEndOfCommand()
        return Status(mailbox: mailbox, items: items)
    }

    mutating func statusItems() throws(SyntaxError) -> [StatusItem] {
        var items: [StatusItem] = []
        let named = try self.elements { cursor throws(SyntaxError) in
            guard let item = StatusItem(try cursor.atom()) else {
                throw cursor.error(.expected("status item"))
            }
            return item
        }
        for item in named where !items.contains(item) { items.append(item) }
        return items
    }
}
