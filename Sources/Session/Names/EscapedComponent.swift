/// A component of a server's name that no client can be given as it is, and how its octets are written in
/// a path.
///
/// Some servers list names that are no modified UTF-7: UTF-8 or Latin-1 as it is, a lone `&`, two shifts in
/// a row, a tab. Such a component stands in the path behind the mark `=_`; its octets stand for themselves
/// where they are printable, `=` is written `=3D`, and each other octet in hexadecimal: `=_M=FCller`. So a
/// path names exactly one sequence of octets of the server, and no component without the mark ever stands
/// for the same.
enum EscapedComponent {
    static let mark = Array("=_".utf8)
    private static let sign = UInt8(ascii: "=")
    private static let slash = UInt8(ascii: "/")

    /// Whether a component of a path is written so.
    static func isMarked(_ component: some Collection<UInt8>) -> Bool {
        component.starts(with: self.mark)
    }

    /// A component of a path for octets of a server.
    ///
    /// - Returns: nil for what ends a line or a string: to whatever program lists such a name, it is an
    ///   attack on the reader.
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

    /// The octets of the server for a component of a path; nil for one that ``path(for:)`` does not write.
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

    /// Whether every client can be given this text, decoded UTF-8, as part of a name (RFC 6855 §3).
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

    /// Octets of the character at the beginning; 0 for a control, a separator of lines, and what is no
    /// UTF-8.
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

    private static func value(of digits: ArraySlice<UInt8>) -> UInt8? {
        guard let high = digits.first.flatMap(self.hexadecimal.firstIndex(of:)),
            let low = digits.dropFirst().first.flatMap(self.hexadecimal.firstIndex(of:))
        else { return nil }
        return UInt8(high << 4 | low)
    }
}
