package import NIOCore

/// The header block of a message, cut into its fields (RFC 5322 §2.2).
///
/// Strict on purpose: what two readers could cut in different ways is refused, never guessed at.
package struct Header: Equatable, Sendable {
    /// Octets of a header block; the largest that a person's program writes has a tenth of it.
    package static let maximumOctets = 256 * 1_024
    /// Octets of a line, without its end (RFC 5322 §2.1.1).
    static let maximumLineOctets = 998
    /// Fields in a block.
    package static let maximumFields = 1_000

    /// Why a header is refused.
    package enum Fault: Error, Equatable, Sendable {
        case tooLarge
        /// A line that is neither a field nor the continuation of one.
        case malformedLine
        /// A field that may stand in a message once stands there again; its name.
        case repeated(String)
        /// A field that names an author and cannot be read in one way only: its name, and why.
        case malformedAddress(String, AddressFault)
        case missingFrom
    }

    /// One field.
    package struct Field: Equatable, Sendable {
        /// In lower case.
        package var name: String
        /// What stands behind the colon, with its folding.
        package var body: [UInt8]
        /// Where the field stands in its block, line ends included: offsets from the block's beginning.
        var range: Range<Int>

        /// Whether a line is longer than RFC 5322 §2.1.1 allows: a server on the way may cut it, so that
        /// what stands behind the cut becomes a field of its own.
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

    /// Fields that may stand in a message once (RFC 5322 §3.6, RFC 2045 §3).
    private static let singular: Set<String> = [
        "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to",
        "references", "subject", "date", "mime-version", "content-type",
        "content-transfer-encoding", "content-disposition", "content-id",
    ]

    package private(set) var fields: [Field] = []

    /// - Parameter block: the lines with their ends, without the empty one behind them.
    package init(_ block: ByteBuffer) throws(Fault) {
        var rest = block.readableBytesView[...]
        while !rest.isEmpty {
            let start = rest.startIndex - block.readerIndex
            let line = try Self.line(&rest)
            let range = start..<rest.startIndex - block.readerIndex
            if line.first?.isBlank ?? false {
                // A line of blanks only ends the header for some readers.
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

    /// The value of Message-ID without blanks around it, where it is on one line.
    package var messageID: [UInt8]? {
        guard let body = self.field("message-id")?.body else { return nil }
        let words = body.split(whereSeparator: { $0.isBlank || $0 == 0x0D || $0 == 0x0A })
        guard words.count == 1, let value = words.first,
            value.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return Array(value)
    }

    package func field(_ name: String) -> Field? {
        self.fields.first { $0.name == name }
    }
}
