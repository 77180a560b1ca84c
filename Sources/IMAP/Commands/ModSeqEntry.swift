import struct NIOCore.ByteBuffer

/// The flag whose changes a MODSEQ search refers to, and its scope: `"/flags/\\draft" all`
/// (RFC 7162 §3.1.5).
package struct ModSeqEntry: Equatable, Sendable {
    /// The scope of the flag (`entry-type-req`).
    package enum Kind: CaseIterable, Equatable, Sendable {
        case personal
        case shared
        case all

        var word: StaticString {
            switch self {
            case .personal: "priv"
            case .shared: "shared"
            case .all: "all"
            }
        }
    }

    package var flag: Flag
    /// The scope.
    package var kind: Kind

    /// Encodes the entry, with system flags in lower case as in the RFC's examples.
    func encode(into encoder: inout CommandEncoder) {
        let name =
            switch self.flag {
            case .keyword(let keyword): Array(keyword.readableBytesView)
            case .seen, .answered, .flagged, .deleted, .draft:
                Array(String(buffer: self.flag.text).lowercased().utf8)
            }
        encoder.write(quoted: Array("/flags/".utf8) + name)
        encoder.write(word: self.kind.word)
    }
}

extension Cursor {
    ///     search-modseq-ext = SP entry-name SP entry-type-req
    ///     entry-flag-name = DQUOTE "/flags/" attr-flag DQUOTE
    ///
    /// - Returns: nil if a number follows directly.
    mutating func modSeqEntry() throws(SyntaxError) -> ModSeqEntry? {
        guard self.peek() == UInt8(ascii: "\"") else { return nil }
        var name = Cursor(try self.quoted())
        guard name.take(word: "/flags/"), let flag = Flag(name.buffer) else {
            throw self.error(.expected("entry name"))
        }
        try self.expectBlank()
        guard let kind = ModSeqEntry.Kind.allCases.first(where: { self.take(word: $0.word) }) else {
            throw self.error(.expected("entry type"))
        }
        try self.expectBlank()
        return ModSeqEntry(flag: flag, kind: kind)
    }
}
