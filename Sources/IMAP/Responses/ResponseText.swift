package import struct NIOCore.ByteBuffer

/// The text of a status response, with the code before it.
///
///     resp-text = ["[" resp-text-code "]" SP] [text]
package struct ResponseText: Equatable, Sendable {
    package var code: ResponseCode?

    /// - Parameter text: without its CR LF.
    package init(_ text: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(text)
        guard cursor.take("[") else { return }
        self.code = try cursor.responseCode()
    }
}

/// A response code that the gateway knows; every other is dropped with its value.
package enum ResponseCode: Equatable, Sendable {
    case capability([String])
    case permanentFlags([ByteBuffer])
    case readOnly
    case readWrite
    case tryCreate
    case uidNext(UInt32)
    case uidValidity(UInt32)
    case unseen(UInt32)
    case uidNotSticky
    case appendUID(UInt32, SequenceSet)
    case copyUID(UInt32, SequenceSet, SequenceSet)
    case highestModSeq(UInt64)
    case noModSeq
    case modified(SequenceSet)
    case closed
    case unavailable
    case authenticationFailed
    case authorizationFailed
    case expired
    case privacyRequired
    case contactAdmin
    case noPerm
    case inUse
    case expungeIssued
    case corruption
    case serverBug
    case clientBug
    case cannot
    case limit
    case overQuota
    case alreadyExists
    case nonExistent
    case notSaved
    case hasChildren
    case unknownCTE
    case tooBig
    case useAttr
    case badCharset
    case mailboxID(ByteBuffer)
    case inProgress
    case unknown

    /// Codes without a value, as they are spelled.
    fileprivate static let words: [(StaticString, ResponseCode)] = [
        ("READ-ONLY", .readOnly), ("READ-WRITE", .readWrite), ("TRYCREATE", .tryCreate),
        ("UIDNOTSTICKY", .uidNotSticky), ("NOMODSEQ", .noModSeq), ("CLOSED", .closed),
        ("UNAVAILABLE", .unavailable), ("AUTHENTICATIONFAILED", .authenticationFailed),
        ("AUTHORIZATIONFAILED", .authorizationFailed), ("EXPIRED", .expired),
        ("PRIVACYREQUIRED", .privacyRequired), ("CONTACTADMIN", .contactAdmin),
        ("NOPERM", .noPerm), ("INUSE", .inUse), ("EXPUNGEISSUED", .expungeIssued),
        ("CORRUPTION", .corruption), ("SERVERBUG", .serverBug), ("CLIENTBUG", .clientBug),
        ("CANNOT", .cannot), ("LIMIT", .limit), ("OVERQUOTA", .overQuota),
        ("ALREADYEXISTS", .alreadyExists), ("NONEXISTENT", .nonExistent),
        ("NOTSAVED", .notSaved), ("HASCHILDREN", .hasChildren), ("UNKNOWN-CTE", .unknownCTE),
        ("TOOBIG", .tooBig), ("USEATTR", .useAttr), ("INPROGRESS", .inProgress),
    ]

    /// Writes the code with its brackets and a space.
    func encode(into buffer: inout ByteBuffer) {
        if let word = Self.words.first(where: { $0.1 == self })?.0 {
            buffer.writeStaticString("[")
            buffer.writeStaticString(word)
            buffer.writeStaticString("] ")
            return
        }
        switch self {
        case .capability(let names):
            buffer.writeString("[CAPABILITY \(names.joined(separator: " "))] ")
        case .permanentFlags(let flags):
            buffer.writeStaticString("[PERMANENTFLAGS ")
            buffer.writeFlags(flags)
            buffer.writeStaticString("] ")
        case .uidNext(let value): buffer.writeString("[UIDNEXT \(value)] ")
        case .uidValidity(let value): buffer.writeString("[UIDVALIDITY \(value)] ")
        case .unseen(let value): buffer.writeString("[UNSEEN \(value)] ")
        case .highestModSeq(let value): buffer.writeString("[HIGHESTMODSEQ \(value)] ")
        case .badCharset: buffer.writeStaticString("[BADCHARSET (US-ASCII UTF-8)] ")
        case .appendUID(let validity, let uids):
            buffer.writeString("[APPENDUID \(validity) \(String(buffer: uids.text))] ")
        case .copyUID(let validity, let source, let target):
            buffer.writeString("[COPYUID \(validity) \(String(buffer: source.text)) ")
            buffer.writeString("\(String(buffer: target.text))] ")
        case .modified(let set):
            buffer.writeString("[MODIFIED \(String(buffer: set.text))] ")
        case .mailboxID(let value):
            buffer.writeString("[MAILBOXID (\(String(buffer: value)))] ")
        default:
            break
        }
    }
}

extension Cursor {
    ///     resp-text-code = "ALERT" / … / atom [SP 1*<any TEXT-CHAR except "]">]
    ///
    /// The opening bracket is consumed already.
    fileprivate mutating func responseCode() throws(SyntaxError) -> ResponseCode? {
        let name = self.takeRun { $0.isAtomChar }
        if self.take("]") {
            if name.equals(word: "BADCHARSET") { return .badCharset }
            return ResponseCode.words.first { name.equals(word: $0.0) }?.1 ?? .unknown
        }
        try self.expectSpace()
        guard let code = try self.valuedCode(name) else { return .unknown }
        try self.expect("]")
        return code
    }

    private mutating func valuedCode(_ name: ByteBuffer) throws(SyntaxError) -> ResponseCode? {
        switch name.uppercasedText() {
        case "CAPABILITY":
            return .capability(try self.capabilityList())
        case "PERMANENTFLAGS":
            return .permanentFlags(try self.wireFlags())
        case "UIDNEXT": return .uidNext(try self.nonZeroNumber())
        case "UIDVALIDITY": return .uidValidity(try self.nonZeroNumber())
        case "UNSEEN": return .unseen(try self.nonZeroNumber())
        case "HIGHESTMODSEQ": return .highestModSeq(try self.number64())
        case "MODIFIED": return .modified(try self.sequenceSet())
        case "BADCHARSET":
            _ = self.takeRun { $0 != UInt8(ascii: "]") }
            return .badCharset
        case "INPROGRESS":
            _ = self.takeRun { $0 != UInt8(ascii: "]") }
            return .inProgress
        case "APPENDUID":
            let validity = try self.nonZeroNumber()
            try self.expectSpace()
            return .appendUID(validity, try self.sequenceSet())
        case "COPYUID":
            let validity = try self.nonZeroNumber()
            try self.expectSpace()
            let source = try self.sequenceSet()
            try self.expectSpace()
            return .copyUID(validity, source, try self.sequenceSet())
        case "MAILBOXID":
            try self.expect("(")
            let value = try self.atom()
            try self.expect(")")
            return .mailboxID(value)
        default:
            return nil
        }
    }

    /// Capabilities up to the end or a bracket, in upper case.
    mutating func capabilityList() throws(SyntaxError) -> [String] {
        var names: [String] = []
        repeat {
            let name = self.takeRun { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "]") }
            if name.readableBytes > 0 { names.append(name.uppercasedText()) }
            guard names.count <= 500 else { throw self.error(.commandTooLarge) }
        } while self.take(" ")
        return names
    }

    ///     "(" [flag-perm *(SP flag-perm)] ")"
    mutating func wireFlags() throws(SyntaxError) -> [ByteBuffer] {
        let flags = try self.list(mayBeEmpty: true) { cursor throws(SyntaxError) in
            let flag = cursor.takeRun {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")")
                    && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "\"")
            }
            guard flag.readableBytes > 0 else { throw cursor.error(.expected("flag")) }
            return flag
        }
        return flags
    }
}
