/// Reads JSON (RFC 8259) in one pass into the values that are expected, without a tree of it.
///
/// It is stricter than Foundation's decoder: it refuses unknown keys and keys that occur twice.
/// And a document of a large office has hundreds of megabytes.
struct JSONReader {
    /// The text.
    private let octets: UnsafeRawBufferPointer
    /// The index of the next octet.
    private var position = 0

    private init(_ octets: UnsafeRawBufferPointer) {
        self.octets = octets
        // RFC 8259 §8.1 lets a reader ignore a byte order mark.
        if octets.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
    }

    /// Reads a text that consists of one value.
    /// - Parameter body: Reads the value.
    static func read<Value>(
        _ octets: UnsafeRawBufferPointer,
        value body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        var reader = JSONReader(octets)
        let value = try body(&reader)
        guard reader.next() == nil else { throw reader.syntaxError }
        return value
    }

    // MARK: - Values

    /// Reads an object.
    /// - Parameters:
    ///   - keys: The keys that it may have.
    ///   - member: Called with each key; reads its value.
    mutating func object<Key>(
        _ keys: JSONKeys<Key>,
        member: (inout JSONReader, Key) throws(JSONError) -> Void
    ) throws(JSONError) {
        try self.begin(UInt8(ascii: "{"))
        var seen: UInt32 = 0
        if !self.skip(UInt8(ascii: "}")) {
            repeat {
                let index = try self.key(keys)
                guard seen & (1 << index) == 0 else {
                    throw JSONError(.repeated(keys.name(index)))
                }
                seen |= 1 << index
                try self.require(UInt8(ascii: ":"))
                do throws(JSONError) { try member(&self, keys.all[index]) } catch {
                    throw error.inside(keys.name(index))
                }
            } while self.skip(UInt8(ascii: ","))
            try self.require(UInt8(ascii: "}"))
        }
        if let missing = keys.missing(in: seen) { throw JSONError(.missing(missing)) }
    }

    /// Reads an array.
    /// - Parameter element: Reads one element.
    mutating func array<Element>(
        _ element: (inout JSONReader) throws(JSONError) -> Element
    ) throws(JSONError) -> [Element] {
        try self.begin(UInt8(ascii: "["))
        var elements: [Element] = []
        guard !self.skip(UInt8(ascii: "]")) else { return [] }
        repeat {
            do throws(JSONError) { elements.append(try element(&self)) } catch {
                throw error.inside("[\(elements.count)]")
            }
        } while self.skip(UInt8(ascii: ","))
        try self.require(UInt8(ascii: "]"))
        return elements
    }

    /// Reads a value, or nil for `null`.
    mutating func optional<Value>(
        _ value: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value? {
        guard self.next() == UInt8(ascii: "n") else { return try value(&self) }
        try self.word("null")
        return nil
    }

    /// Reads `true` or `false`.
    mutating func bool() throws(JSONError) -> Bool {
        let first = self.next()
        guard first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else {
            throw self.typeError
        }
        try self.word(first == UInt8(ascii: "t") ? "true" : "false")
        return first == UInt8(ascii: "t")
    }

    /// Reads a whole number.
    mutating func integer() throws(JSONError) -> Int64 {
        guard let first = self.next(), first == UInt8(ascii: "-") || Self.isDigit(first) else {
            throw self.typeError
        }
        let start = self.position
        while let octet = self.current, octet == UInt8(ascii: "-") || Self.isDigit(octet) {
            self.position += 1
        }
        let text = String(decoding: self.octets[start..<self.position], as: UTF8.self)
        if let octet = self.current, [UInt8(ascii: "."), 0x45, 0x65].contains(octet) {
            throw JSONError(.type)
        }
        // The grammar has no leading zeros, which `Int64` accepts.
        guard let number = Int64(text), String(number) == text || text == "-0" else {
            throw text.dropFirst().contains("-") || text.count < 19
                ? self.syntaxError : JSONError(.type)
        }
        return number
    }

    /// Reads a text.
    mutating func string() throws(JSONError) -> String {
        guard self.next() == UInt8(ascii: "\"") else { throw self.typeError }
        let (text, hasEscapes) = try self.quoted()
        return hasEscapes ? try self.unescaped(text) : try Self.decoded(text)
    }

    /// Whether the next value is a text.
    mutating func isAtString() -> Bool { self.next() == UInt8(ascii: "\"") }

    // MARK: - Tokens

    private var current: UInt8? {
        self.position < self.octets.count ? self.octets[self.position] : nil
    }

    /// The next octet that is not white space (RFC 8259 §2).
    private mutating func next() -> UInt8? {
        while let octet = self.current {
            guard octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 else {
                return octet
            }
            self.position += 1
        }
        return nil
    }

    /// Skips an octet if it is the next one.
    private mutating func skip(_ octet: UInt8) -> Bool {
        guard self.next() == octet else { return false }
        self.position += 1
        return true
    }

    private mutating func require(_ octet: UInt8) throws(JSONError) {
        guard self.skip(octet) else { throw self.syntaxError }
    }

    /// Skips the first octet of an object or an array.
    private mutating func begin(_ octet: UInt8) throws(JSONError) {
        guard self.skip(octet) else { throw self.typeError }
    }

    private mutating func word(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.current == word.utf8Start[index] else { throw self.syntaxError }
            self.position += 1
        }
    }

    /// Reads a key.
    /// - Returns: Its index in `keys`.
    private mutating func key<Key>(_ keys: JSONKeys<Key>) throws(JSONError) -> Int {
        guard self.next() == UInt8(ascii: "\"") else { throw self.syntaxError }
        let (octets, hasEscapes) = try self.quoted()
        if !hasEscapes, let index = keys.index(of: octets) { return index }
        let text = hasEscapes ? try self.unescaped(octets) : try Self.decoded(octets)
        guard let index = keys.index(of: text) else { throw JSONError(.unknown(text)) }
        return index
    }

    /// Reads what is between two quotation marks.
    private mutating func quoted() throws(JSONError) -> (
        octets: UnsafeRawBufferPointer, hasEscapes: Bool
    ) {
        self.position += 1
        let start = self.position
        var hasEscapes = false
        while let octet = self.current {
            switch octet {
            case UInt8(ascii: "\""):
                let text = UnsafeRawBufferPointer(rebasing: self.octets[start..<self.position])
                self.position += 1
                return (text, hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                self.position += 2
            case 0..<0x20: throw self.syntaxError
            default: self.position += 1
            }
        }
        throw self.syntaxError
    }

    private static func isDigit(_ octet: UInt8) -> Bool {
        octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9")
    }

    private static func decoded(_ octets: UnsafeRawBufferPointer) throws(JSONError) -> String {
        // Text in ASCII is most of a document, and is always valid.
        if octets.allSatisfy({ $0 < 0x80 }) { return String(decoding: octets, as: UTF8.self) }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw JSONError(.encoding)
        }
        return text
    }

    // MARK: - Errors

    /// The error for the next octet, which no value can have there.
    private var syntaxError: JSONError {
        let read = self.octets.prefix(self.position)
        let start = read.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let line = read.count { $0 == 0x0A } + 1
        return JSONError(.syntax(line: line, column: read.count - start + 1))
    }

    /// The error for a value of another type.
    private var typeError: JSONError {
        let starts = Array("{[\"-tfn".utf8)
        guard let octet = self.current, starts.contains(octet) || Self.isDigit(octet) else {
            return self.syntaxError
        }
        return JSONError(.type)
    }
}

/// Escapes in texts (RFC 8259 §7).
extension JSONReader {
    /// The text with its escapes replaced.
    private func unescaped(_ octets: UnsafeRawBufferPointer) throws(JSONError) -> String {
        var (text, index): ([UInt8], Int) = ([], 0)
        while index < octets.count {
            guard octets[index] == UInt8(ascii: "\\") else {
                text.append(octets[index])
                index += 1
                continue
            }
            // A text ends with no single backslash.
            let letter = octets[index + 1]
            index += 2
            guard letter == UInt8(ascii: "u") else {
                guard let octet = Self.escapes[letter] else { throw self.syntaxError }
                text.append(octet)
                continue
            }
            let (scalar, length) = try self.scalar(octets, at: index)
            guard scalar.value != 0 else {
                throw JSONError(.invalid("the store has no text with the character U+0000"))
            }
            text += Array(String(scalar).utf8)
            index += length
        }
        guard let text = String(validating: text, as: UTF8.self) else { throw JSONError(.encoding) }
        return text
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    ]

    /// The character of one escape, or of two escapes that are a pair of surrogates.
    /// - Parameter index: The index of the first hexadecimal digit.
    /// - Returns: The character, and the number of octets from `index` on.
    private func scalar(
        _ octets: UnsafeRawBufferPointer,
        at index: Int
    ) throws(JSONError) -> (Unicode.Scalar, Int) {
        let unit = try self.unit(octets, at: index)
        if let scalar = Unicode.Scalar(unit) { return (scalar, 4) }
        guard octets.dropFirst(index + 4).starts(with: Array("\\u".utf8)) else {
            throw self.syntaxError
        }
        let units = [UInt16(unit), UInt16(try self.unit(octets, at: index + 6))]
        guard let scalar = String(validating: units, as: UTF16.self)?.unicodeScalars.first else {
            throw self.syntaxError
        }
        return (scalar, 10)
    }

    /// The number of four hexadecimal digits.
    private func unit(
        _ octets: UnsafeRawBufferPointer,
        at index: Int
    ) throws(JSONError) -> UInt32 {
        let digits = octets.dropFirst(index).prefix(4)
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, text.first != "+", text.first != "-",
            let number = UInt32(text, radix: 16)
        else { throw self.syntaxError }
        return number
    }
}
