import IMAP

/// The prefix of all folders of an account except INBOX on its server, which users do not see:
/// `INBOX.` on Courier, and on Cyrus without `altnamespace` (RFC 2342 §5).
///
/// `INBOX` stays `INBOX`, and `INBOX.Trash` becomes `Trash`. If the remainder would be a spelling
/// of INBOX or a namespace of the gateway, its first octet is written in hexadecimal:
/// `INBOX.INBOX.a` becomes `=49NBOX.a`, `INBOX.inbox` becomes `=69nbox`, and `INBOX.=49NBOX`
/// becomes `=3D49NBOX`. So the translation is one to one.
///
/// All names are wire octets.
struct PersonalPrefix: Equatable, Sendable {
    private static let sign = UInt8(ascii: "=")
    private static let digits = Array("0123456789ABCDEF".utf8)

    private let octets: [UInt8]
    private let delimiter: UInt8

    /// - Returns: nil if the account's folders have no prefix, or several.
    init?(_ profile: UpstreamProfile) {
        guard let delimiter = profile.delimiter, profile.personalPrefixes.count == 1,
            let octets = profile.personalPrefixes.first, octets.count > 1,
            octets.last == delimiter, !Self.isPartOfEscape(delimiter)
        else { return nil }
        self.octets = octets
        self.delimiter = delimiter
    }

    /// The part of a server's name after the prefix; nil for a name without the prefix.
    func remainder(of name: [UInt8]) -> [UInt8]? {
        if Self.isInbox(name) { return name }
        guard name.starts(with: self.octets) else { return nil }
        let rest = name.dropFirst(self.octets.count)
        let first = rest.prefix { $0 != self.delimiter }
        guard let octet = first.first, Self.isMistakable(first) else { return Array(rest) }
        return [Self.sign, Self.digits[Int(octet >> 4)], Self.digits[Int(octet & 15)]]
            + rest.dropFirst()
    }

    /// The server's name for a remainder; nil for a remainder that no name has.
    func name(of remainder: [UInt8]) -> [UInt8]? {
        if Self.isInbox(remainder) { return remainder }
        let first = remainder.prefix { $0 != self.delimiter }
        guard Self.isMistakable(first) else { return self.octets + remainder }
        guard let first = first.first, first == Self.sign,
            let octet = Self.octet(remainder.dropFirst())
        else { return nil }
        return self.octets + [octet] + remainder.dropFirst(3)
    }

    /// Whether an octet may occur in an escape. A delimiter must not, or it would divide the
    /// escape.
    private static func isPartOfEscape(_ octet: UInt8) -> Bool {
        let upper = octet.asciiUppercased
        return upper >= UInt8(ascii: "A") && upper <= UInt8(ascii: "Z") || octet == self.sign
            || octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9")
    }

    /// Whether the first component has to be escaped: it is a reserved name, or one whose first
    /// octet is escaped, once or several times.
    private static func isMistakable(_ component: ArraySlice<UInt8>) -> Bool {
        guard var first = component.first else { return false }
        var rest = component.dropFirst()
        while first == self.sign, let octet = self.octet(rest) {
            first = octet
            rest = rest.dropFirst(2)
        }
        guard rest.count < self.maximumReserved else { return false }
        let plain = [first] + rest
        return self.isInbox(plain) || plain == Namespace.otherUsers || plain == Namespace.shared
    }

    /// Octets of the longest reserved name, `Other Users`.
    private static let maximumReserved = 11

    private static func isInbox(_ name: [UInt8]) -> Bool {
        name.count == 5 && name.lazy.map(\.asciiUppercased).elementsEqual("INBOX".utf8)
    }

    /// The octet of two upper-case hexadecimal digits.
    private static func octet(_ text: ArraySlice<UInt8>) -> UInt8? {
        guard let first = text.first, let high = self.digits.firstIndex(of: first),
            let second = text.dropFirst().first, let low = self.digits.firstIndex(of: second)
        else { return nil }
        return UInt8(high << 4 | low)
    }
}
