/// A component of a server's mailbox name that clients cannot be given unchanged, and its spelling
/// in a path.
///
/// Some servers list names that are not modified UTF-7: unencoded UTF-8 or Latin-1, a lone `&`, two
/// shifts in a row, a tab. The path of such a component starts with the mark `=_`. Printable octets
/// stand for themselves, `=` is written `=3D`, and every other octet as two hexadecimal digits:
/// `=_M=FCller`. Each path names exactly one sequence of the server's octets, and no component
/// without the mark names the same.
enum EscapedComponent {
    /// The prefix of an escaped component.
    static let mark = Array("=_".utf8)
    private static let sign = UInt8(ascii: "=")
    private static let slash = UInt8(ascii: "/")

    /// Whether a component of a path is an escaped one.
    static func isMarked(_ component: some Collection<UInt8>) -> Bool {
        component.starts(with: self.mark)
    }

    /// The path component for octets of a server.
    ///
    /// - Returns: nil if the octets contain NUL, CR or LF. These end a line or a string, and a name
    ///   with them is an attack on the program that reads the list.
    static func path(for octets: ArraySlice<UInt8>) -> [UInt8]? {
        guard !octets.contains(where: { $0 == 0x00 || $0 == 0x0A || $0 == 0x0D }) else {
            return nil
        }
        var path = self.mark
        var rest = octets
        while let octet = rest.first {
            let length = octet == self.sign || octet == self.slash ? 0 : self.printableOctets(rest)
            if length > 0 {
                path += rest.prefix(length)
            } else {
                path.append(self.sign)
                path += self.digits(of: octet)
            }
            rest = rest.dropFirst(max(length, 1))
        }
        return path
    }

    /// The octets of the server for a component of a path; nil for a spelling that ``path(for:)``
    /// does not produce.
    static func octets(of component: ArraySlice<UInt8>) -> [UInt8]? {
        guard self.isMarked(component) else { return nil }
        var octets: [UInt8] = []
        var rest = component.dropFirst(self.mark.count)
        while let octet = rest.first {
            if octet == self.sign {
                guard let value = self.value(of: rest.dropFirst().prefix(2)) else { return nil }
                octets.append(value)
                rest = rest.dropFirst(3)
            } else {
                octets.append(octet)
                rest = rest.dropFirst()
            }
        }
        guard let path = self.path(for: octets[...]), path.elementsEqual(component) else {
            return nil
        }
        return octets
    }

    /// Whether this text, decoded UTF-8, can be part of a name for every client (RFC 6855 §3).
    static func isPresentable(_ text: [UInt8]) -> Bool {
        if text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return true }
        var rest = text[...]
        while !rest.isEmpty {
            let length = self.printableOctets(rest)
            guard length > 0 else { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }

    /// The length in octets of the first character; 0 for a control character, a line separator,
    /// and octets that are not UTF-8.
    private static func printableOctets(_ octets: ArraySlice<UInt8>) -> Int {
        guard let first = octets.first else { return 0 }
        if first < 0x80 { return first < 0x20 || first == 0x7F ? 0 : 1 }
        let length =
            switch first {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 0
            }
        let character = octets.prefix(length)
        guard length > 0, let text = String(validating: character, as: UTF8.self),
            let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
        else { return 0 }
        switch scalar.value {
        case 0x80...0x9F, 0x2028, 0x2029: return 0
        default: return length
        }
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    private static func digits(of octet: UInt8) -> [UInt8] {
        [self.hexadecimal[Int(octet >> 4)], self.hexadecimal[Int(octet & 15)]]
    }

    /// The octet of two upper-case hexadecimal digits.
    private static func value(of digits: ArraySlice<UInt8>) -> UInt8? {
        guard let high = digits.first.flatMap(self.hexadecimal.firstIndex(of:)),
            let low = digits.dropFirst().first.flatMap(self.hexadecimal.firstIndex(of:))
        else { return nil }
        return UInt8(high << 4 | low)
    }
}
