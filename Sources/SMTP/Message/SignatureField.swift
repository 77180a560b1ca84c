package import NIOCore

/// The field that the gateway writes to show who sent a message on behalf of another account:
/// `Sender: "Anna Arendt" <anna@kanzlei.example>` (RFC 5322 §3.6.2).
package struct SignatureField: Equatable, Sendable {
    /// The longest name, in octets. A longer one is omitted: programs truncate long names.
    package static let maximumNameOctets = 200
    /// The longest encoded text of an encoded word, in octets. A line with one has at most 76
    /// (RFC 2047 §2); the longest field name and the delimiters take 27 of them.
    private static let maximumEncodedOctets = 48

    /// The address, ASCII letters in lower case.
    package let address: [UInt8]
    /// The display name in UTF-8; nil for a field without a name.
    package let name: [UInt8]?

    /// - Parameters:
    ///   - address: local part, `@` and domain.
    ///   - name: the user's display name. It is omitted if it is too long, or if the gateway would
    ///     refuse it in a message.
    package init(address: [UInt8], name: [UInt8]?) {
        self.address = address
        self.name = name.flatMap { Self.isShowable($0, beside: address) ? $0 : nil }
    }

    private static func isShowable(_ name: [UInt8], beside address: [UInt8]) -> Bool {
        guard name.count <= self.maximumNameOctets, !name.allSatisfy(\.isBlank),
            String(validating: name, as: UTF8.self) != nil, !name.contains(0x09)
        else { return false }
        var shown = ShownName()
        shown.appendWord(name)
        do {
            try shown.check(beside: address)
            return true
        } catch {
            return false
        }
    }

    /// The field on the wire, with its line end.
    ///
    /// - Parameter name: `Sender` or `Resent-Sender`.
    package func encoded(_ field: Name) -> [UInt8] {
        var octets = Array("\(field.rawValue):".utf8)
        if let name = self.name {
            let words = Self.encodedWords(name) ?? [Self.quoted(name)]
            for (index, word) in words.enumerated() {
                octets += Array((index == 0 ? " " : "\r\n ").utf8) + word
            }
            if words.count > 1 { octets += Array("\r\n".utf8) }
        }
        octets.append(0x20)
        let at = self.address.lastIndex(of: UInt8(ascii: "@")) ?? self.address.endIndex
        octets +=
            Path(
                local: Array(self.address[..<at]),
                domain: Array(self.address[at...].dropFirst())
            ).encoded
        return octets + [.carriageReturn, .lineFeed]
    }

    /// The fields that name the sender.
    package enum Name: String, Sendable {
        case sender = "Sender"
        case resentSender = "Resent-Sender"

        /// - Parameter name: the field name in lower case.
        init?(lowercased name: String) {
            switch name {
            case "sender": self = .sender
            case "resent-sender": self = .resentSender
            default: return nil
            }
        }
    }

    ///     quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE
    private static func quoted(_ name: [UInt8]) -> [UInt8] {
        var octets: [UInt8] = [UInt8(ascii: "\"")]
        for octet in name {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                octets.append(UInt8(ascii: "\\"))
            }
            octets.append(octet)
        }
        return octets + [UInt8(ascii: "\"")]
    }

    /// The name as encoded words of complete characters; nil for an ASCII name.
    private static func encodedWords(_ name: [UInt8]) -> [[UInt8]]? {
        guard name.contains(where: { $0 >= 0x80 }) else { return nil }
        var words: [[UInt8]] = []
        var text: [UInt8] = []
        func end() {
            words.append(Array("=?utf-8?Q?".utf8) + text + Array("?=".utf8))
            text = []
        }
        for scalar in String(decoding: name, as: UTF8.self).unicodeScalars {
            let character = String(scalar).utf8.flatMap(Self.encodedOctet)
            if text.count + character.count > Self.maximumEncodedOctets { end() }
            text += character
        }
        end()
        return words
    }

    /// Encodes an octet by the "Q" encoding for a phrase (RFC 2047 §5).
    private static func encodedOctet(_ octet: UInt8) -> [UInt8] {
        if octet == 0x20 { return [UInt8(ascii: "_")] }
        if octet.isLetter || octet.isDigit { return [octet] }
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "="), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
    }
}

/// A Sender or Resent-Sender field that a client wrote.
struct ClientSignature: Equatable, Sendable {
    /// The name of the field.
    let name: SignatureField.Name
    let field: Header.Field
    /// Its mailbox.
    let mailbox: Mailbox

    /// Whether it has the same address as the gateway's field.
    func isOf(_ signature: SignatureField) -> Bool {
        self.mailbox.address.map(\.asciiLowercased) == signature.address.map(\.asciiLowercased)
    }

    /// Whether it equals the field that the gateway would write.
    func says(_ signature: SignatureField) -> Bool {
        guard signature.name != nil else { return self.isOf(signature) && !self.mailbox.isNamed }
        return signature.encoded(self.name).dropFirst(self.name.rawValue.utf8.count + 1)
            .elementsEqual(self.field.body + [.carriageReturn, .lineFeed])
    }
}

extension Authors {
    /// The header with the gateway's signature, in pieces. All other octets are unchanged.
    ///
    /// A Sender or Resent-Sender with the same address is replaced if it differs. A missing Sender
    /// is inserted at the start.
    ///
    /// - Parameter block: the header that was parsed.
    package func signed(_ block: ByteBuffer, by signature: SignatureField) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        if self.sender == nil {
            pieces.append(ByteBuffer(bytes: signature.encoded(.sender)))
        }
        var rest = block
        var taken = 0
        for client in self.signatures where client.isOf(signature) && !client.says(signature) {
            let range = client.field.range
            guard let before = rest.readSlice(length: range.lowerBound - taken) else { break }
            pieces += [before, ByteBuffer(bytes: signature.encoded(client.name))]
            rest.moveReaderIndex(forwardBy: range.count)
            taken = range.upperBound
        }
        return pieces + [rest]
    }

    /// Whether Sender already equals the field that the gateway would write.
    package func isSigned(by signature: SignatureField) -> Bool {
        self.signatures.contains { $0.name == .sender && $0.says(signature) }
    }
}
