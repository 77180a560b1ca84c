import struct NIOCore.ByteBuffer

/// An item of FETCH (RFC 9051 §6.4.5).
package enum FetchAttribute: Equatable, Sendable {
    case all
    case fast
    case full
    case bodyStructure
    case body
    case envelope
    case flags
    case internalDate
    case uid
    case rfc822
    case rfc822Header
    case rfc822Size
    case rfc822Text
    case modSeq
    case saveDate
    case emailID
    case threadID
    case preview(isLazy: Bool)
    case section(Section, Partial?, peeks: Bool)
    case binary([UInt32], Partial?, peeks: Bool)
    case binarySize([UInt32])

    /// A range of octets: `<0.2048>`.
    package struct Partial: Equatable, Sendable {
        /// The first octet.
        package var offset: UInt32
        /// The number of octets.
        package var count: UInt32
    }

    /// Whether fetching the item sets `\Seen`.
    var setsSeen: Bool {
        switch self {
        case .rfc822, .rfc822Text, .section(_, _, peeks: false), .binary(_, _, peeks: false):
            true
        default:
            false
        }
    }

    /// Whether the item contains content beyond headers.
    var isText: Bool {
        switch self {
        case .rfc822, .rfc822Text, .binary, .preview:
            true
        case .section(let section, _, _):
            switch section.text {
            case .none, .text: true
            case .header, .mime, .fields: false
            }
        default:
            false
        }
    }

    /// The item in a form that does not set `\Seen`.
    var peeking: FetchAttribute {
        switch self {
        case .section(let section, let partial, _): .section(section, partial, peeks: true)
        case .binary(let part, let partial, _): .binary(part, partial, peeks: true)
        case .rfc822: .section(Section(part: [], text: nil), nil, peeks: true)
        case .rfc822Text: .section(Section(part: [], text: .text), nil, peeks: true)
        default: self
        }
    }

    /// The capability that a server needs for the item.
    package var requiredCapability: String? {
        switch self {
        case .modSeq: "CONDSTORE"
        case .saveDate: "SAVEDATE"
        case .emailID, .threadID: "OBJECTID"
        case .preview: "PREVIEW"
        case .binary, .binarySize: "BINARY"
        default: nil
        }
    }

    func encode(into encoder: inout CommandEncoder) {
        if let word = self.word { return encoder.write(word: word) }
        switch self {
        case .preview(let isLazy):
            encoder.write(word: isLazy ? "PREVIEW (LAZY)" : "PREVIEW")
        case .section(let section, let partial, let peeks):
            encoder.write(word: peeks ? "BODY.PEEK" : "BODY")
            section.encode(into: &encoder)
            encoder.append(partial)
        case .binary(let part, let partial, let peeks):
            encoder.write(word: peeks ? "BINARY.PEEK" : "BINARY")
            encoder.append(part: part)
            encoder.append(partial)
        case .binarySize(let part):
            encoder.write(word: "BINARY.SIZE")
            encoder.append(part: part)
        default:
            break
        }
    }

    private var word: StaticString? {
        switch self {
        case .all: "ALL"
        case .fast: "FAST"
        case .full: "FULL"
        case .bodyStructure: "BODYSTRUCTURE"
        case .body: "BODY"
        case .envelope: "ENVELOPE"
        case .flags: "FLAGS"
        case .internalDate: "INTERNALDATE"
        case .uid: "UID"
        case .rfc822: "RFC822"
        case .rfc822Header: "RFC822.HEADER"
        case .rfc822Size: "RFC822.SIZE"
        case .rfc822Text: "RFC822.TEXT"
        case .modSeq: "MODSEQ"
        case .saveDate: "SAVEDATE"
        case .emailID: "EMAILID"
        case .threadID: "THREADID"
        case .preview, .section, .binary, .binarySize: nil
        }
    }
}

extension CommandEncoder {
    fileprivate mutating func append(_ partial: FetchAttribute.Partial?) {
        guard let partial else { return }
        self.append(raw: ByteBuffer(string: "<\(partial.offset).\(partial.count)>"))
    }

    fileprivate mutating func append(part: [UInt32]) {
        self.append(raw: ByteBuffer(string: "[\(part.map(String.init).joined(separator: "."))]"))
    }
}
