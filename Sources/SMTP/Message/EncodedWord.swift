/// `=?utf-8?Q?B=C3=BCro?=`: text of a display name in another charset (RFC 2047).
enum EncodedWord {
    /// Charsets in which an octet below 128 is always the ASCII character.
    private static let singleOctet: [StaticString] = [
        "utf-8", "us-ascii", "iso-8859-", "windows-125", "koi8-",
    ]

    /// The octets that the word stands for, in its charset.
    ///
    /// In a charset where an octet that looks like `@` may be half of another character, a word
    /// with such octets is left out: what it shows cannot be told without the charset's tables.
    ///
    /// - Returns: nil for what is no encoded word, which is then text as it stands.
    static func decode(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        let question = UInt8(ascii: "?")
        guard word.starts(with: "=?".utf8), word.suffix(2).elementsEqual("?=".utf8),
            word.count > 4
        else { return nil }
        let parts = word.dropFirst(2).dropLast(2)
            .split(separator: question, omittingEmptySubsequences: false)
        guard parts.count == 3, let encoding = parts[1].first, parts[1].count == 1 else {
            return nil
        }
        let octets =
            encoding.asciiLowercased == UInt8(ascii: "b")
            ? self.base64(parts[2]) : self.quoted(parts[2])
        let isPlain = octets.allSatisfy { $0 < 0x80 && !$0.isControl }
        let isReadable = self.singleOctet.contains { parts[0].starts(withWord: $0) }
        return isPlain || isReadable ? octets : []
    }

    /// Lenient, as mail readers are: what cannot be base64 is left out.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for octet in text {
            let value: UInt8
            switch octet {
            case 0x41...0x5A: value = octet - 0x41
            case 0x61...0x7A: value = octet - 0x61 + 26
            case 0x30...0x39: value = octet - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return octets
    }

    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = text
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "_") {
                octets.append(0x20)
            } else if octet == UInt8(ascii: "="), let high = self.hex(rest.first),
                let low = self.hex(rest.dropFirst().first)
            {
                octets.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return octets
    }

    private static func hex(_ octet: UInt8?) -> UInt8? {
        switch octet {
        case .some(let octet) where octet.isDigit: octet - 0x30
        case .some(let octet) where octet.asciiLowercased >= 0x61 && octet.asciiLowercased <= 0x66:
            octet.asciiLowercased - 0x61 + 10
        default: nil
        }
    }
}
