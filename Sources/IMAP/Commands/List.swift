package import struct NIOCore.ByteBuffer

/// `LIST (SUBSCRIBED) "" ("INBOX" "Akten/*") RETURN (STATUS (UNSEEN))` (RFC 5258, RFC 9051 §6.3.9).
package struct List: Equatable, Sendable {
    /// The most patterns of one LIST: clients use one to three. Each pattern, even an empty one, is
    /// matched against each name; without a limit the cost is their product.
    static let maximumPatterns = 16
    /// The most octets of all patterns of one LIST, each with the reference: the cost of matching a
    /// name grows with them.
    static let maximumPatternOctets = 2 * MailboxPattern.maximumOctets

    /// The reference, as octets on the wire.
    package var reference: ByteBuffer
    /// The patterns, as octets on the wire.
    package var patterns: [ByteBuffer]
    /// The selection option SUBSCRIBED.
    package var selectsSubscribed = false
    /// The selection option SPECIAL-USE (RFC 6154 §2).
    package var selectsSpecialUse = false
    /// The selection option RECURSIVEMATCH.
    package var isRecursiveMatch = false
    /// The return option SUBSCRIBED.
    package var returnsSubscribed = false
    /// The return option MYRIGHTS (RFC 8440 §3).
    package var returnsMyRights = false
    /// The items of the return option STATUS (RFC 5819); nil without it.
    package var returnsStatus: [StatusItem]?
    /// Whether the extended syntax is used: an empty pattern then matches the empty name.
    package var isExtended = false

    package init(reference: ByteBuffer, patterns: [ByteBuffer]) {
        self.reference = reference
        self.patterns = patterns
    }

    /// Whether the command only requests the hierarchy delimiter.
    package var isDelimiterQuery: Bool {
        !self.isExtended && self.patterns.count == 1 && self.patterns[0].readableBytes == 0
    }

    /// The decoded patterns, each with the reference before it. A pattern that cannot be decoded
    /// matches nothing and is omitted.
    package var joinedPatterns: [MailboxPattern] {
        let reference = Array(self.reference.readableBytesView)
        return self.patterns.compactMap { pattern in
            ModifiedUTF7.decode(reference + Array(pattern.readableBytesView))
                .flatMap { $0.count <= MailboxPattern.maximumOctets ? MailboxPattern($0) : nil }
        }
    }
}

/// `LSUB "" "*"` (RFC 3501 §6.3.9).
package struct Lsub: Equatable, Sendable {
    package var reference: ByteBuffer
    package var pattern: ByteBuffer
}

extension Cursor {
    ///     list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    mutating func listCommand() throws(SyntaxError) -> List {
        var list = List(reference: ByteBuffer(), patterns: [])
        if self.peek() == UInt8(ascii: "(") {
            list.isExtended = true
            try self.listSelection(&list)
            try self.expectBlank()
        }
        list.reference = try self.asciiAstringOrEmpty()
        try self.expectBlank()
        if self.peek() == UInt8(ascii: "(") {
            list.isExtended = true
            list.patterns = try self.elements(atMost: List.maximumPatterns) {
                cursor throws(SyntaxError) in
                try cursor.listMailbox()
            }
            let octets = list.patterns.reduce(0) {
                $0 + list.reference.readableBytes + $1.readableBytes
            }
            guard octets <= List.maximumPatternOctets else { throw self.error(.commandTooLarge) }
        } else {
            list.patterns = [try self.listMailbox()]
        }
        if self.takeBlank() {
            list.isExtended = true
            try self.listReturns(&list)
        }
        try self.expectEndOfCommand()
        return list
    }

    mutating func lsub() throws(SyntaxError) -> Lsub {
        let reference = try self.asciiAstringOrEmpty()
        try self.expectBlank()
        let pattern = try self.listMailbox()
        try self.expectEndOfCommand()
        return Lsub(reference: reference, pattern: pattern)
    }

    private mutating func asciiAstringOrEmpty() throws(SyntaxError) -> ByteBuffer {
        try self.asciiAstring()
    }

    ///     list-mailbox = 1*list-char / string
    private mutating func listMailbox() throws(SyntaxError) -> ByteBuffer {
        switch self.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "{"):
            return try self.asciiAstring()
        default:
            let pattern = self.takeRun(where: \.isListChar)
            guard pattern.readableBytes > 0 else { throw self.error(.expected("pattern")) }
            return pattern
        }
    }

    ///     list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
    private mutating func listSelection(_ list: inout List) throws(SyntaxError) {
        let options = try self.elements(mayBeEmpty: true) { cursor throws(SyntaxError) in
            try cursor.atom().uppercasedText()
        }
        for option in options {
            switch option {
            case "SUBSCRIBED": list.selectsSubscribed = true
            case "SPECIAL-USE": list.selectsSpecialUse = true
            case "RECURSIVEMATCH": list.isRecursiveMatch = true
            // The gateway shows all mailboxes as its own: there are no remote ones to add.
            case "REMOTE": break
            default: throw self.error(.expected("selection option"))
            }
        }
        guard !list.isRecursiveMatch || list.selectsSubscribed else {
            throw self.error(.expected("SUBSCRIBED"))
        }
    }

    ///     list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    private mutating func listReturns(_ list: inout List) throws(SyntaxError) {
        guard self.take(argumentsOf: "RETURN") else { throw self.error(.expected("RETURN")) }
        try self.expectOpening()
        if self.take(")") { return }
        repeat {
            switch try self.atom().uppercasedText() {
            case "SUBSCRIBED": list.returnsSubscribed = true
            case "CHILDREN", "SPECIAL-USE": break
            case "MYRIGHTS": list.returnsMyRights = true
            case "STATUS":
                try self.expectBlank()
                list.returnsStatus = try self.statusItems()
            default: throw self.error(.expected("return option"))
            }
        } while self.takeBlank()
        try self.expectClosing()
    }
}
