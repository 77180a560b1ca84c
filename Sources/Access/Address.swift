/// A login or an e-mail address in the form that is compared: ASCII letters in lower case.
///
/// A local part that is not ASCII is compared by its octets; code that reads one from a person
/// normalises it to NFC first. A domain consists of A-labels (RFC 5890 §2.3.2.1).
package struct Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest address that fits a path of 256 octets (RFC 5321 §4.5.3.1.3).
    package static let maximumOctets = 254

    /// The UTF-8 octets, ASCII letters in lower case.
    package let octets: [UInt8]

    /// - Returns: nil if the octets cannot be a login: empty, too long, not UTF-8, with a control
    ///   character, a space, an invisible character or one of `/` `\` `*` `!` `%` `"`, or with a
    ///   domain that is not ASCII or has an empty label.
    package init?(_ octets: some Sequence<UInt8>) {
        let folded = octets.map { octet in
            octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 0x20 : octet
        }
        guard !folded.isEmpty, folded.count <= Self.maximumOctets,
            folded.allSatisfy(Self.isAllowed),
            folded.allSatisfy({ $0 < 0x80 }) || Self.isVisible(folded),
            Self.isDomainValid(in: folded)
        else { return nil }
        self.octets = folded
    }

    /// Whether the part behind the last `@` is ASCII and has no empty label. A login may have no `@`.
    private static func isDomainValid(in octets: [UInt8]) -> Bool {
        guard let at = octets.lastIndex(of: UInt8(ascii: "@")) else { return true }
        var previous = UInt8(ascii: ".")
        for octet in octets[(at + 1)...] {
            let isEmptyLabel = octet == UInt8(ascii: ".") && previous == UInt8(ascii: ".")
            guard octet < 0x80, !isEmptyLabel else { return false }
            previous = octet
        }
        return at > 0 && previous != UInt8(ascii: ".")
    }

    /// Whether the octets are UTF-8 and every character is visible.
    private static func isVisible(_ octets: [UInt8]) -> Bool {
        guard let text = String(validating: octets, as: UTF8.self) else { return false }
        return text.unicodeScalars.allSatisfy(Self.isVisible)
    }

    /// Whether a character is visible: direction marks and spaces make different logins look alike.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }

    /// Whether an octet may be in a login. The others have a meaning in mailbox names or strings.
    private static func isAllowed(_ octet: UInt8) -> Bool {
        switch octet {
        case 0...0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "*"),
            UInt8(ascii: "!"), UInt8(ascii: "%"), UInt8(ascii: "\""):
            false
        default:
            true
        }
    }

    package var description: String { String(decoding: self.octets, as: UTF8.self) }

    package static func < (one: Address, other: Address) -> Bool {
        one.octets.lexicographicallyPrecedes(other.octets)
    }
}
