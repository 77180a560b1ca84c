package import struct NIOCore.ByteBuffer

/// `* CAPABILITY IMAP4rev1 IDLE` (RFC 9051 §7.2.2).
package struct CapabilityResponse: Equatable, Sendable {
    /// In upper case.
    package var capabilities: [String]

    /// - Parameter response: whole, with `* ` and CR LF.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "CAPABILITY ")
        self.capabilities = try cursor.capabilityList()
    }
}

/// `* FLAGS (\Seen \Deleted)` (RFC 9051 §7.3.5).
package struct FlagsResponse: Equatable, Sendable {
    /// Wire octets.
    package var flags: [ByteBuffer]

    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "FLAGS ")
        self.flags = try cursor.wireFlags()
    }
}

/// `* NAMESPACE (("" "/")) NIL NIL` (RFC 9051 §7.3.2).
package struct NamespaceResponse: Equatable, Sendable {
    package struct Namespace: Equatable, Sendable {
        /// Wire octets.
        package var prefix: ByteBuffer
        package var delimiter: UInt8?
    }

    package var personal: [Namespace]
    package var others: [Namespace]
    package var shared: [Namespace]

    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "NAMESPACE ")
        self.personal = try cursor.namespaces()
        try cursor.expectSpace()
        self.others = try cursor.namespaces()
        try cursor.expectSpace()
        self.shared = try cursor.namespaces()
    }
}

/// `* LIST (\HasChildren) "/" Akten` and LSUB alike (RFC 9051 §7.3.1).
package struct ListResponse: Equatable, Sendable {
    /// Wire octets.
    package var attributes: [ByteBuffer]
    package var delimiter: UInt8?
    /// Wire octets, neither quoted nor a literal.
    package var mailbox: ByteBuffer
    /// Values of CHILDINFO (RFC 5258 §4).
    package var childInfo: [StaticString] = []

    package init(attributes: [ByteBuffer], delimiter: UInt8?, mailbox: ByteBuffer) {
        self.attributes = attributes
        self.delimiter = delimiter
        self.mailbox = mailbox
    }

    /// - Parameter response: whole, with `* ` and CR LF; extended data is left out.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(response)
        guard cursor.take(word: "* LIST ") || cursor.take(word: "* LSUB ") else {
            throw cursor.error(.expected("LIST"))
        }
        self.attributes = try cursor.wireFlags()
        try cursor.expectSpace()
        self.delimiter = try cursor.delimiter()
        try cursor.expectSpace()
        self.mailbox = try cursor.astring()
    }

    package static func == (one: ListResponse, other: ListResponse) -> Bool {
        one.attributes == other.attributes && one.delimiter == other.delimiter
            && one.mailbox == other.mailbox
    }

    package func encoded(isLsub: Bool) -> ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString(isLsub ? "* LSUB " : "* LIST ")
        line.writeFlags(self.attributes)
        line.writeStaticString(" ")
        line.writeDelimiter(self.delimiter)
        line.writeStaticString(" ")
        line.writeAstring(self.mailbox)
        if !self.childInfo.isEmpty {
            line.writeStaticString(" (\"CHILDINFO\" (")
            for (index, value) in self.childInfo.enumerated() {
                line.writeStaticString(index == 0 ? "\"" : " \"")
                line.writeStaticString(value)
                line.writeStaticString("\"")
            }
            line.writeStaticString("))")
        }
        line.writeStaticString("\r\n")
        return line
    }
}

/// `* STATUS Akten (MESSAGES 3)` (RFC 9051 §7.3.4).
package struct StatusResponse: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        case number(UInt64)
        case none
        /// Octets of an atom, in parentheses on the wire.
        case identifier(ByteBuffer)
    }

    /// Wire octets.
    package var mailbox: ByteBuffer
    /// Items that the gateway knows; others are left out.
    package var items: [(item: StatusItem, value: Value)]

    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "STATUS ")
        self.mailbox = try cursor.astring()
        try cursor.expectSpace()
        self.items = try cursor.list(mayBeEmpty: true) { cursor throws(SyntaxError) in
            try cursor.statusItem()
        }.compactMap { $0 }
    }

    package static func == (one: StatusResponse, other: StatusResponse) -> Bool {
        one.encoded == other.encoded
    }

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

/// The beginning of `* ESEARCH (TAG "a3") UID COUNT 2`: whose answer it is (RFC 4731 §3.1).
package struct EsearchHead: Equatable, Sendable {
    package var tag: ByteBuffer?
    /// Octets before what follows the correlator.
    package var restOffset: Int

    /// - Parameter piece: the response's first piece.
    package init(_ piece: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: piece, "ESEARCH")
        guard cursor.take(word: " (TAG ") else {
            self.restOffset = cursor.offset
            return
        }
        self.tag = try cursor.string()
        try cursor.expect(")")
        self.restOffset = cursor.offset
    }
}

/// `* QUOTA "" (STORAGE 10 512)` (RFC 9208 §5.1).
package struct QuotaResponse: Equatable, Sendable {
    package struct Resource: Equatable, Sendable {
        package var name: ByteBuffer
        package var usage: UInt64
        package var limit: UInt64
    }

    package var root: ByteBuffer
    package var resources: [Resource]

    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "QUOTA ")
        self.root = try cursor.astring()
        try cursor.expectSpace()
        try cursor.expect("(")
        self.resources = []
        while !cursor.take(")") {
            if !self.resources.isEmpty { try cursor.expectSpace() }
            let name = try cursor.atom()
            try cursor.expectSpace()
            let usage = try cursor.number64()
            try cursor.expectSpace()
            self.resources.append(
                Resource(name: name, usage: usage, limit: try cursor.number64())
            )
        }
    }

    package var encoded: ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* QUOTA ")
        line.writeAstring(self.root)
        line.writeStaticString(" (")
        for (index, resource) in self.resources.enumerated() {
            if index > 0 { line.writeStaticString(" ") }
            line.writeImmutableBuffer(resource.name)
            line.writeString(" \(resource.usage) \(resource.limit)")
        }
        line.writeStaticString(")\r\n")
        return line
    }
}

/// `* QUOTAROOT INBOX ""` (RFC 9208 §5.2).
package struct QuotaRootResponse: Equatable, Sendable {
    package var mailbox: ByteBuffer
    package var roots: [ByteBuffer]

    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "QUOTAROOT ")
        self.mailbox = try cursor.astring()
        self.roots = []
        while cursor.take(" ") { self.roots.append(try cursor.astring()) }
    }

    package var encoded: ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* QUOTAROOT ")
        line.writeAstring(self.mailbox)
        for root in self.roots {
            line.writeStaticString(" ")
            line.writeAstring(root)
        }
        line.writeStaticString("\r\n")
        return line
    }
}

extension Cursor {
    /// A cursor behind `* ` and the name of the data.
    fileprivate init(data response: ByteBuffer, _ name: StaticString) throws(SyntaxError) {
        self.init(response)
        guard self.take(word: "* "), self.take(word: name) else {
            throw self.error(.expected("data"))
        }
    }

    ///     DQUOTE QUOTED-CHAR DQUOTE / nil
    fileprivate mutating func delimiter() throws(SyntaxError) -> UInt8? {
        guard let text = try self.nstring() else { return nil }
        guard text.readableBytes == 1, let octet: UInt8 = text.getInteger(at: text.readerIndex),
            octet > 0x20, octet < 0x7F
        else {
            if text.readableBytes == 0 { return nil }
            throw self.error(.expected("delimiter"))
        }
        return octet
    }

    ///     namespace = nil / "(" 1*namespace-descr ")"
    fileprivate mutating func namespaces() throws(SyntaxError) -> [NamespaceResponse.Namespace] {
        if self.take(word: "NIL") { return [] }
        try self.expect("(")
        var namespaces: [NamespaceResponse.Namespace] = []
        while !self.take(")") {
            _ = self.take(" ")
            try self.expect("(")
            let prefix = try self.string()
            try self.expectSpace()
            let delimiter = try self.delimiter()
            try self.skipToClose()
            namespaces.append(NamespaceResponse.Namespace(prefix: prefix, delimiter: delimiter))
        }
        return namespaces
    }

    /// Skips namespace extensions, up to and including the closing parenthesis.
    private mutating func skipToClose() throws(SyntaxError) {
        var depth = 1
        while depth > 0 {
            switch self.peek() {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\""):
                _ = try self.quoted()
                continue
            case .none: throw self.error(.unexpectedEnd)
            case .some: break
            }
            self.advance()
        }
    }

    /// - Returns: nil for an item the gateway does not know.
    fileprivate mutating func statusItem() throws(SyntaxError) -> (
        item: StatusItem, value: StatusResponse.Value
    )? {
        let item = StatusItem(try self.atom())
        try self.expectSpace()
        let value: StatusResponse.Value
        if self.take("(") {
            value = .identifier(try self.atom())
            try self.expect(")")
        } else if self.take(word: "NIL") {
            value = .none
        } else {
            value = .number(try self.number64())
        }
        return item.map { ($0, value) }
    }
}
