package import struct NIOCore.ByteBuffer

/// The text of a status response, of which only the response code is used.
///
/// The words after the code may contain names that the user must not know.
///
///     resp-text = ["[" resp-text-code "]" SP] [text]
package struct ResponseText: Equatable, Sendable {
    /// The code; nil without one.
    package var code: ResponseCode?

    /// - Parameter text: the text without CR LF.
    /// - Throws: `SyntaxError` for a known code with an invalid value.
    package init(_ text: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(text)
        guard cursor.take("[") else { return }
        self.code = try cursor.responseCode()
    }
}

extension Cursor {
    /// Parses a code after its opening bracket.
    ///
    ///     resp-text-code = "ALERT" / … / atom [SP 1*<any TEXT-CHAR except "]">]
    fileprivate mutating func responseCode() throws(SyntaxError) -> ResponseCode {
        let name = self.takeRun(where: { $0.isAtomChar })
        if self.take("]") {
            if name.equals(word: "BADCHARSET") { return .badCharset }
            return ResponseCode.plain.first { name.equals(word: $0.name) } ?? .unknown
        }
        try self.expectSpaces()
        guard let code = try self.valuedCode(name) else { return .unknown }
        self.skipSpaces()
        try self.expect("]")
        return code
    }

    /// - Returns: nil for an unknown code, and for a code that has no value.
    private mutating func valuedCode(_ name: ByteBuffer) throws(SyntaxError) -> ResponseCode? {
        switch name.uppercasedText() {
        case "CAPABILITY": return .capability(try self.capabilityList())
        case "PERMANENTFLAGS": return .permanentFlags(try self.flags { $0.endsCode })
        case "UIDNEXT": return .uidNext(try self.nonZeroNumber())
        case "UIDVALIDITY": return .uidValidity(try self.nonZeroNumber())
        case "UNSEEN": return .unseen(try self.nonZeroNumber())
        case "HIGHESTMODSEQ": return .highestModSeq(try self.number64())
        case "MODIFIED": return .modified(try self.numberedSet())
        case "BADCHARSET":
            self.skipCodeValue()
            return .badCharset
        case "INPROGRESS":
            self.skipCodeValue()
            return .inProgress
        case "APPENDUID":
            let validity = try self.nonZeroNumber()
            try self.expectSpaces()
            return .appendUID(validity, try self.numberedSet())
        case "COPYUID": return try self.copyUID()
        case "MAILBOXID":
            try self.expect("(")
            let value = try self.atom()
            try self.expect(")")
            return .mailboxID(value)
        case "NOUPDATE": return .noUpdate(try self.quoted())
        default: return nil
        }
    }

    /// Parses the value of COPYUID. Source and destination must have the same number of messages.
    ///
    ///     resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set
    private mutating func copyUID() throws(SyntaxError) -> ResponseCode {
        let validity = try self.nonZeroNumber()
        try self.expectSpaces()
        let source = try self.numberedSet()
        try self.expectSpaces()
        let target = try self.numberedSet()
        guard source.numberOfMembers == target.numberOfMembers else {
            throw self.error(.malformedNumber)
        }
        return .copyUID(validity, source, target)
    }

    /// Parses a set of numbers without `*` and `$`, which a server must not send.
    ///
    ///     uid-set = (uniqueid / uid-range) *("," uid-set)
    private mutating func numberedSet() throws(SyntaxError) -> SequenceSet {
        let set = try self.sequenceSet()
        guard set.numberOfMembers != nil else { throw self.error(.malformedNumber) }
        return set
    }

    /// Whether only spaces precede the end of the code.
    private var endsCode: Bool {
        var ahead = self
        ahead.skipSpaces()
        return ahead.take("]")
    }

    private mutating func skipCodeValue() {
        _ = self.takeRun { $0 != UInt8(ascii: "]") }
    }
}

extension SequenceSet {
    /// The number of members, duplicates included; nil with `*`, and for `$`.
    fileprivate var numberOfMembers: UInt64? {
        guard !self.isSavedResult else { return nil }
        var members: UInt64 = 0
        for range in self.ranges {
            guard let first = range.first, let last = range.last, first <= last else { return nil }
            // At most 50,000 ranges of 32 bits each: no overflow.
            members &+= UInt64(last - first) + 1
        }
        return members
    }
}
