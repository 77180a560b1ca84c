package import struct NIOCore.ByteBuffer

/// The condition of a status response (RFC 9051 §7.1).
package enum Condition: Equatable, Sendable {
    case ok
    case no
    case bad
    case bye
    case preauth

    init?(_ word: ByteBuffer) {
        if word.equals(word: "OK") {
            self = .ok
        } else if word.equals(word: "NO") {
            self = .no
        } else if word.equals(word: "BAD") {
            self = .bad
        } else if word.equals(word: "BYE") {
            self = .bye
        } else if word.equals(word: "PREAUTH") {
            self = .preauth
        } else {
            return nil
        }
    }
}

/// The kind of a response with a number: about one message, or about the number of messages.
package enum NumberedKind: Equatable, Sendable {
    case exists
    case recent
    case expunge
    case fetch

    /// The canonical form for a client; nil for FETCH, which has data.
    package func line(_ number: UInt32) -> ByteBuffer? {
        switch self {
        case .exists: ByteBuffer(string: "* \(number) EXISTS\r\n")
        case .recent: ByteBuffer(string: "* \(number) RECENT\r\n")
        case .expunge: ByteBuffer(string: "* \(number) EXPUNGE\r\n")
        case .fetch: nil
        }
    }
}

/// The kind of data in an untagged response.
package enum DataKind: UInt8, Equatable, Sendable {
    case capability
    case enabled
    case list
    case lsub
    case status
    case search
    case sort
    case thread
    case esearch
    case flags
    case vanished
    case namespace
    case quota
    case quotaRoot
    /// Data that the gateway does not know; it is not passed on.
    case unknown

    private static let names: [(StaticString, DataKind)] = [
        ("SEARCH", .search), ("FLAGS", .flags), ("LIST", .list), ("STATUS", .status),
        ("ESEARCH", .esearch), ("VANISHED", .vanished), ("CAPABILITY", .capability),
        ("ENABLED", .enabled), ("LSUB", .lsub), ("SORT", .sort), ("THREAD", .thread),
        ("NAMESPACE", .namespace), ("QUOTA", .quota), ("QUOTAROOT", .quotaRoot),
    ]

    init(_ word: ByteBuffer) {
        self = Self.names.first { word.equals(word: $0.0) }?.1 ?? .unknown
    }

    /// Words that need a number. Without one they would report an undefined change.
    private static let numbered: [StaticString] = ["EXISTS", "RECENT", "EXPUNGE", "FETCH"]

    /// Whether a word may be the name of an extension's data: it starts with a letter and contains
    /// no response code (`OK[UIDNEXT 4]`). Unknown data is dropped only if it cannot be an answer.
    static func isExtension(_ word: ByteBuffer) -> Bool {
        guard let first = word.readableBytesView.first?.asciiUppercased,
            first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z")
        else { return false }
        return !word.readableBytesView.contains(UInt8(ascii: "["))
            && !self.numbered.contains { word.equals(word: $0) }
    }
}

/// A set of kinds of data.
package struct DataKinds: ExpressibleByArrayLiteral, Equatable, Sendable {
    private var bits: UInt32 = 0

    package init(arrayLiteral kinds: DataKind...) {
        for kind in kinds { self.bits |= 1 << kind.rawValue }
    }

    package func contains(_ kind: DataKind) -> Bool { self.bits & 1 << kind.rawValue != 0 }
}

/// The kind of a response, from its first piece.
package enum ResponseHead: Equatable {
    case continuation
    case tagged(tag: ByteBuffer, Condition, text: ByteBuffer)
    case status(Condition, text: ByteBuffer)
    case numbered(UInt32, NumberedKind)
    case data(DataKind)

    /// - Parameter piece: the first piece of a response, with CR LF if it has arrived.
    /// - Throws: `SyntaxError` for an invalid response or number.
    package init(_ piece: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(piece)
        if cursor.take("*") {
            try cursor.expectSpace()
            self = try Self.untagged(&cursor)
        } else if cursor.take("+") {
            self = .continuation
        } else if cursor.isStrayCode() {
            self = .data(.unknown)
        } else {
            let tag = cursor.takeRun(where: { $0.isTagChar })
            guard tag.readableBytes > 0, cursor.take(" "),
                let condition = Condition(cursor.takeRun(where: { $0.isAtomChar })),
                condition != .bye, condition != .preauth
            else { throw cursor.error(.malformedTag) }
            self = .tagged(tag: tag, condition, text: try Self.text(&cursor))
        }
    }

    private static func untagged(_ cursor: inout Cursor) throws(SyntaxError) -> ResponseHead {
        if cursor.isStrayCode() { return .data(.unknown) }
        if cursor.peek()?.isDigit ?? false {
            let number = try cursor.number()
            try cursor.expectSpace()
            return .numbered(number, try self.numbered(number, cursor: &cursor))
        }
        let word = cursor.takeRun(where: { $0.isAtomChar })
        if let condition = Condition(word) {
            return .status(condition, text: try self.text(&cursor))
        }
        let kind = DataKind(word)
        guard kind == .unknown else { return .data(kind) }
        let isWhole = cursor.isAtEnd || cursor.peek() == UInt8(ascii: " ") || cursor.peek() == 0x0D
        guard isWhole, DataKind.isExtension(word) else { throw cursor.error(.expected("response")) }
        return .data(.unknown)
    }

    /// The word after the number.
    ///
    ///     message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
    ///     mailbox-data =/ number SP ("EXISTS" / "RECENT")
    private static func numbered(
        _ number: UInt32,
        cursor: inout Cursor
    ) throws(SyntaxError) -> NumberedKind {
        if cursor.take(word: "FETCH (") {
            guard number > 0 else { throw cursor.error(.malformedNumber) }
            return .fetch
        }
        let word = cursor.takeRun(where: { $0.isAtomChar })
        // No octets may be hidden after the word.
        try cursor.expectLineEnd()
        if word.equals(word: "EXISTS") { return .exists }
        if word.equals(word: "RECENT") { return .recent }
        guard number > 0 else { throw cursor.error(.malformedNumber) }
        if word.equals(word: "EXPUNGE") { return .expunge }
        throw cursor.error(.expected("message data"))
    }

    /// The text after the condition, without CR LF.
    private static func text(_ cursor: inout Cursor) throws(SyntaxError) -> ByteBuffer {
        guard cursor.take(" ") || cursor.peek() == 0x0D || cursor.isAtEnd else {
            throw cursor.error(.expected("space"))
        }
        cursor.skipSpaces()
        let text = cursor.takeRun { $0 != 0x0D }
        guard cursor.isAtEnd || cursor.take(word: "\r\n") else {
            throw cursor.error(.malformedLineEnd)
        }
        return text
    }
}
