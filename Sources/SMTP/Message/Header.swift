package import NIOCore

/// The header of a message, split into fields (RFC 5322 §2.2).
///
/// Strict: octets that two readers could split differently are refused.
package struct Header: Equatable, Sendable {
    /// The largest header, in octets: mail programs write at most a tenth of it.
    package static let maximumOctets = 256 * 1_024
    /// The longest line without its end, in octets (RFC 5322 §2.1.1).
    static let maximumLineOctets = 998
    /// The most fields.
    package static let maximumFields = 1_000

    /// The reason why a header is refused.
    package enum Fault: Error, Equatable, Sendable {
        /// The header, or its address fields, exceed a limit.
        case tooLarge
        /// A line is neither a field nor a continuation.
        case malformedLine
        /// A field that must be unique is repeated; its name.
        case repeated(String)
        /// A field that names an author is ambiguous or forbidden; its name, and the reason.
        case malformedAddress(String, AddressFault)
        /// The header has no From.
        case missingFrom
    }

    /// A header field.
    package struct Field: Equatable, Sendable {
        /// The name in lower case.
        package var name: String
        /// The octets after the colon, with folding.
        package var body: [UInt8]
        /// The offsets of the field in the header, with its line end.
        var range: Range<Int>

        /// Whether a line exceeds the limit of RFC 5322 §2.1.1. A server in transit may split it,
        /// and the second part becomes a field of its own.
        var hasLongLine: Bool {
            let lines = self.body.split(
                separator: .lineFeed,
                omittingEmptySubsequences: false
            )
            return lines.enumerated().contains { index, line in
                let isLast = index == lines.count - 1
                let start = index == 0 ? self.name.utf8.count + 1 : 0
                return start + line.count - (isLast ? 0 : 1) > Header.maximumLineOctets
            }
        }
    }

    /// The fields that must be unique (RFC 5322 §3.6, RFC 2045 §3).
    private static let singular: Set<String> = [
        "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to",
        "references", "subject", "date", "mime-version", "content-type",
        "content-transfer-encoding", "content-disposition", "content-id",
    ]

    /// The fields in order.
    package private(set) var fields: [Field] = []

    /// Splits a header.
    /// - Parameter block: the lines with their ends, without the empty line after them.
    package init(_ block: ByteBuffer) throws(Fault) {
        var rest = block.readableBytesView[...]
        while !rest.isEmpty {
            let start = rest.startIndex - block.readerIndex
            let line = try Self.line(&rest)
            let range = start..<rest.startIndex - block.readerIndex
            if line.first?.isBlank ?? false {
                // A line of spaces ends the header for some readers.
                guard var last = self.fields.popLast(), !line.allSatisfy(\.isBlank) else {
                    throw .malformedLine
                }
                last.body += [.carriageReturn, .lineFeed] + line
                last.range = last.range.lowerBound..<range.upperBound
                self.fields.append(last)
            } else {
                try self.append(line, range: range)
            }
        }
    }

    private static func line(_ rest: inout ByteBufferView) throws(Fault) -> ByteBufferView {
        guard let end = rest.firstIndex(of: .lineFeed), end > rest.startIndex,
            rest[end - 1] == .carriageReturn
        else { throw .malformedLine }
        let line = rest[rest.startIndex..<end - 1]
        rest = rest[(end + 1)...]
        return line
    }

    ///     field = field-name ":" unstructured
    ///     field-name = 1*ftext ; %d33-57 / %d59-126
    private mutating func append(_ line: ByteBufferView, range: Range<Int>) throws(Fault) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .malformedLine }
        let name = String(decoding: line[..<colon].map(\.asciiLowercased), as: UTF8.self)
        guard self.fields.count < Self.maximumFields else { throw .tooLarge }
        if Self.singular.contains(name), self.fields.contains(where: { $0.name == name }) {
            throw .repeated(name)
        }
        self.fields.append(
            Field(name: name, body: Array(line[(colon + 1)...]), range: range)
        )
    }

    /// The value of Message-ID without surrounding spaces; nil if it contains spaces or is missing.
    package var messageID: [UInt8]? {
        guard let body = self.field("message-id")?.body else { return nil }
        let words = body.split(whereSeparator: { $0.isBlank || $0 == 0x0D || $0 == 0x0A })
        guard words.count == 1, let value = words.first,
            value.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return Array(value)
    }

    /// The first field with a name in lower case.
    package func field(_ name: String) -> Field? {
        self.fields.first { $0.name == name }
    }
}
