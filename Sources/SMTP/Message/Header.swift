package import NIOCore

/// The header block of a message, cut into its fields (RFC 5322 §2.2).
///
/// Strict on purpose: what two readers could cut in different ways is refused, never guessed at.
package struct Header: Equatable, Sendable {
    /// Octets of a header block; the largest that a person's program writes has a tenth of it.
    package static let maximumOctets = 256 * 1_024
    /// Fields in a block.
    package static let maximumFields = 1_000

    /// Why a header is refused.
    package enum Fault: Error, Equatable, Sendable {
        case tooLarge
        /// A line that is neither a field nor the continuation of one.
        case malformedLine
        /// A field that may stand in a message once stands there again; its name.
        case repeated(String)
        /// An address that is none, or that readers take for different ones; the field's name.
        case malformedAddress(String)
        case missingFrom
    }

    /// One field.
    package struct Field: Equatable, Sendable {
        /// In lower case.
        package var name: String
        /// What stands behind the colon, with its folding.
        package var body: [UInt8]
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
            let line = try Self.line(&rest)
            if line.first?.isBlank ?? false {
                // A line of blanks only ends the header for some readers.
                guard var last = self.fields.popLast(), !line.allSatisfy(\.isBlank) else {
                    throw .malformedLine
                }
                last.body += [.carriageReturn, .lineFeed] + line
                self.fields.append(last)
            } else {
                try self.append(line)
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
    private mutating func append(_ line: ByteBufferView) throws(Fault) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .malformedLine }
        let name = String(decoding: line[..<colon].map(\.asciiLowercased), as: UTF8.self)
        guard self.fields.count < Self.maximumFields else { throw .tooLarge }
        if Self.singular.contains(name), self.fields.contains(where: { $0.name == name }) {
            throw .repeated(name)
        }
        self.fields.append(Field(name: name, body: Array(line[(colon + 1)...])))
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
    package var from: [Mailbox]
    package var sender: Mailbox?
    /// Of every Resent-From and Resent-Sender.
    package var resent: [Mailbox] = []

    /// - Parameter isInternational: whether octets outside ASCII are allowed (RFC 6532).
    package init(_ header: Header, isInternational: Bool) throws(Header.Fault) {
        func mailboxes(_ field: Header.Field) throws(Header.Fault) -> [Mailbox] {
            do {
                return try AddressParser.mailboxes(field.body, isInternational: isInternational)
            } catch {
                throw .malformedAddress(field.name)
            }
        }
        guard let from = header.field("from") else { throw .missingFrom }
        self.from = try mailboxes(from)
        if let field = header.field("sender") {
            let senders = try mailboxes(field)
            guard senders.count == 1 else { throw .malformedAddress(field.name) }
            self.sender = senders[0]
        }
        for field in header.fields
        where field.name == "resent-from" || field.name == "resent-sender" {
            self.resent += try mailboxes(field)
        }
    }
}
