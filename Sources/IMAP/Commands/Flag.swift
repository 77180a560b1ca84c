package import struct NIOCore.ByteBuffer

/// A flag that a client can set (RFC 9051 §2.3.2).
package enum Flag: Hashable, Sendable {
    case seen
    case answered
    case flagged
    case deleted
    case draft
    /// A keyword: the octets of an atom.
    case keyword(ByteBuffer)

    /// - Parameter wire: a flag as a server lists it. The result is nil for `\Recent`, `\*` and
    ///   unknown system flags.
    package init?(_ wire: ByteBuffer) {
        var cursor = Cursor(wire)
        guard let flag = try? cursor.flag(), cursor.isAtEnd else { return nil }
        self = flag
    }

    /// The flag on the wire, for example `\Seen`.
    package var text: ByteBuffer {
        switch self {
        case .seen: ByteBuffer(staticString: "\\Seen")
        case .answered: ByteBuffer(staticString: "\\Answered")
        case .flagged: ByteBuffer(staticString: "\\Flagged")
        case .deleted: ByteBuffer(staticString: "\\Deleted")
        case .draft: ByteBuffer(staticString: "\\Draft")
        case .keyword(let keyword): keyword
        }
    }
}

extension Cursor {
    ///     flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword
    mutating func flag() throws(SyntaxError) -> Flag {
        guard self.take("\\") else { return .keyword(try self.atom()) }
        let name = try self.atom()
        if name.equals(word: "Seen") { return .seen }
        if name.equals(word: "Answered") { return .answered }
        if name.equals(word: "Flagged") { return .flagged }
        if name.equals(word: "Deleted") { return .deleted }
        if name.equals(word: "Draft") { return .draft }
        throw self.error(.expected("flag"))
    }

    ///     flag-list = "(" [flag *(SP flag)] ")"
    mutating func flagList() throws(SyntaxError) -> [Flag] {
        try self.elements(mayBeEmpty: true) { cursor throws(SyntaxError) in try cursor.flag() }
    }
}

extension CommandEncoder {
    mutating func write(flags: [Flag]) {
        self.write(listOf: flags.map(\.text))
    }
}
