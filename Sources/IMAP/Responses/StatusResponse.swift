package import struct NIOCore.ByteBuffer

/// `* STATUS Akten (MESSAGES 3)` (RFC 9051 §7.3.4).
package struct StatusResponse: Equatable, Sendable {
    /// The value of an item.
    package enum Value: Equatable, Sendable {
        case number(UInt64)
        case none
        /// An object identifier, parenthesized on the wire (RFC 8474).
        case identifier(ByteBuffer)
    }

    /// The mailbox, as octets on the wire.
    package var mailbox: ByteBuffer
    /// The known items, each once.
    package var items: [(item: StatusItem, value: Value)]

    package init(mailbox: ByteBuffer, items: [(item: StatusItem, value: Value)]) {
        self.mailbox = mailbox
        self.items = items
    }

    /// Parses a whole response.
    ///
    ///     mailbox-data =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "STATUS ")
        cursor.skipSpaces()
        self.mailbox = try cursor.astring()
        try cursor.expectSpaces()
        self.items = try cursor.spacedList { cursor throws(SyntaxError) in
            try cursor.statusItem()
        }.compactMap { $0 }
        var known: Set<StatusItem> = []
        self.items = self.items.filter { known.insert($0.item).inserted }
        try cursor.expectLineEnd()
    }

    package static func == (one: StatusResponse, other: StatusResponse) -> Bool {
        one.encoded == other.encoded
    }

    /// The response on the wire.
    package var encoded: ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* STATUS ")
        line.writeAstring(self.mailbox)
        line.writeStaticString(" (")
        for (index, (item, value)) in self.items.enumerated() {
            if index > 0 { line.writeStaticString(" ") }
            line.writeStaticString(item.word)
            switch value {
            case .number(let number): line.writeString(" \(number)")
            case .none: line.writeStaticString(" NIL")
            case .identifier(let octets):
                line.writeStaticString(" (")
                line.writeImmutableBuffer(octets)
                line.writeStaticString(")")
            }
        }
        line.writeStaticString(")\r\n")
        return line
    }
}

extension Cursor {
    /// Parses an item and its value.
    ///
    ///     status-att-val = atom SP (number64 / nil / "(" objectid ")")
    ///
    /// - Returns: nil for an unknown item.
    fileprivate mutating func statusItem() throws(SyntaxError) -> (
        item: StatusItem, value: StatusResponse.Value
    )? {
        let item = StatusItem(try self.atom())
        try self.expectSpaces()
        guard item != nil else {
            try self.skipValue()
            return nil
        }
        let value: StatusResponse.Value
        if self.take("(") {
            // Copy the octets: a slice would keep the whole response in memory.
            value = .identifier(ByteBuffer(bytes: try self.atom().readableBytesView))
            try self.expect(")")
        } else if self.take(word: "NIL") {
            value = .none
        } else {
            value = .number(try self.number64())
        }
        return item.map { ($0, value) }
    }
}
