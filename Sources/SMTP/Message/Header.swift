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
        case malformedAddress(String, AddressParser.Fault)
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

/// Who a message says it is from: every field that a reader may show as its author.
package struct Authors: Equatable, Sendable {
    /// Octets of all these fields together. Each is read several times over; a From with the 64 mailboxes
    /// that one may have takes less.
    private static let maximumOctets = 16 * 1_024

    package var from: [Mailbox]
    package var sender: Mailbox?
    /// Of every Resent-From and Resent-Sender.
    package var resent: [Mailbox] = []
    /// In the order of the header.
    var signatures: [ClientSignature] = []

    /// - Parameters:
    ///   - isInternational: whether octets outside ASCII are allowed (RFC 6532).
    ///   - own: the user's addresses, which a display name may show, with ASCII in lower case.
    package init(
        _ header: Header,
        isInternational: Bool,
        own: [[UInt8]] = []
    ) throws(Header.Fault) {
        self.from = []
        var octets = 0
        for field in header.fields where Self.names.contains(field.name) {
            octets += field.body.count
            guard octets <= Self.maximumOctets else { throw .tooLarge }
            do throws(AddressParser.Fault) {
                guard !field.hasLongLine else { throw .longLine }
                let mailboxes = try AddressParser.mailboxes(
                    field.body,
                    isInternational: isInternational,
                    own: own
                )
                try self.take(mailboxes, of: field)
            } catch {
                throw .malformedAddress(field.name, error)
            }
        }
        guard !self.from.isEmpty else { throw .missingFrom }
    }

    private static let names: Set<String> = ["from", "sender", "resent-from", "resent-sender"]

    private mutating func take(
        _ mailboxes: [Mailbox],
        of field: Header.Field
    ) throws(AddressParser.Fault) {
        if let name = SignatureField.Name(lowercased: field.name) {
            guard mailboxes.count == 1 else { throw .malformed }
            self.signatures.append(
                ClientSignature(name: name, field: field, mailbox: mailboxes[0])
            )
        }
        switch field.name {
        case "from": self.from = mailboxes
        case "sender": self.sender = mailboxes.first
        default: self.resent += mailboxes
        }
    }
}
