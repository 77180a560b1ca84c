/// The octets are not JSON as ``JSONParser`` accepts it.
struct MalformedJSON: Error, Equatable {}

/// Parses a JSON object (RFC 8259).
///
/// It is stricter than Foundation: it refuses members of the same name at every depth, of which two
/// readers may see different ones (RFC 7519 §4, RFC 7515 §4), and numbers that are not finite.
struct JSONParser {
    /// The deepest nesting: the parser is recursive, and a token of 16 KiB could have 12,000 levels.
    private static let maximumDepth = 16
    /// The longest number in octets, which is more than a double can distinguish.
    private static let maximumNumberOctets = 64

    private let octets: [UInt8]
    /// The index of the next octet.
    private var position = 0

    private init(_ octets: [UInt8]) {
        self.octets = octets
    }

    /// Parses octets that consist of one object and white space.
    static func object(in octets: [UInt8]) throws(MalformedJSON) -> JSONObject {
        var parser = JSONParser(octets)
        guard parser.next() == UInt8(ascii: "{") else { throw MalformedJSON() }
        let object = try parser.object(depth: 1)
        guard parser.next() == nil else { throw MalformedJSON() }
        return object
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(MalformedJSON) -> JSONValue {
        guard depth <= Self.maximumDepth, let first = self.next() else { throw MalformedJSON() }
        switch first {
        case UInt8(ascii: "{"): return .object(try self.object(depth: depth))
        case UInt8(ascii: "["): return .array(try self.array(depth: depth))
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return .number(try self.number())
        }
    }

    /// Parses an object from its brace on.
    private mutating func object(depth: Int) throws(MalformedJSON) -> JSONObject {
        self.position += 1
        var object = JSONObject()
        guard !self.skip(UInt8(ascii: "}")) else { return object }
        repeat {
            guard self.next() == UInt8(ascii: "\"") else { throw MalformedJSON() }
            let name = try self.string()
            try self.require(UInt8(ascii: ":"))
            let value = try self.value(depth: depth + 1)
            guard object.add(value, for: name) else { throw MalformedJSON() }
        } while self.skip(UInt8(ascii: ","))
        try self.require(UInt8(ascii: "}"))
        return object
    }

    /// Parses an array from its bracket on.
    private mutating func array(depth: Int) throws(MalformedJSON) -> [JSONValue] {
        self.position += 1
        var elements: [JSONValue] = []
        guard !self.skip(UInt8(ascii: "]")) else { return elements }
        repeat {
            elements.append(try self.value(depth: depth + 1))
        } while self.skip(UInt8(ascii: ","))
        try self.require(UInt8(ascii: "]"))
        return elements
    }

    private mutating func word(
        _ word: StaticString,
        _ value: JSONValue
    ) throws(MalformedJSON) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.current == word.utf8Start[index] else { throw MalformedJSON() }
            self.position += 1
        }
        return value
    }

    /// Parses a number.
    ///
    ///     number = [ minus ] int [ frac ] [ exp ]
    private mutating func number() throws(MalformedJSON) -> Double {
        let start = self.position
        self.pass { $0 == UInt8(ascii: "-") }
        let first = self.current
        let whole = self.digits()
        guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw MalformedJSON() }
        if self.pass({ $0 == UInt8(ascii: ".") }), self.digits() == 0 { throw MalformedJSON() }
        if self.pass({ $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) {
            self.pass { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            if self.digits() == 0 { throw MalformedJSON() }
        }
        let text = self.octets[start..<self.position]
        guard text.count <= Self.maximumNumberOctets,
            let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite
        else { throw MalformedJSON() }
        return number
    }

    /// Skips digits.
    /// - Returns: their number.
    private mutating func digits() -> Int {
        let start = self.position
        while self.pass({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {}
        return self.position - start
    }

    // MARK: - Strings

    /// Parses a string from its quotation mark on (RFC 8259 §7).
    private mutating func string() throws(MalformedJSON) -> ExactText {
        self.position += 1
        var text: [UInt8] = []
        while let octet = self.current {
            self.position += 1
            switch octet {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw MalformedJSON()
                }
                return ExactText(valid)
            case UInt8(ascii: "\\"): text += try self.escape()
            case 0..<0x20: throw MalformedJSON()
            default: text.append(octet)
            }
        }
        throw MalformedJSON()
    }

    /// Parses an escape after its backslash.
    /// - Returns: the character in UTF-8.
    private mutating func escape() throws(MalformedJSON) -> [UInt8] {
        guard let letter = self.current else { throw MalformedJSON() }
        self.position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try self.scalar()).utf8)
        default: throw MalformedJSON()
        }
    }

    /// Parses the digits of one escape, or of two escapes that are a pair of surrogates.
    private mutating func scalar() throws(MalformedJSON) -> Unicode.Scalar {
        let unit = try self.codeUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard self.pass({ $0 == UInt8(ascii: "\\") }), self.pass({ $0 == UInt8(ascii: "u") }) else {
            throw MalformedJSON()
        }
        let units = [unit, try self.codeUnit()]
        guard let scalar = String(validating: units, as: UTF16.self)?.unicodeScalars.first else {
            throw MalformedJSON()
        }
        return scalar
    }

    /// Parses four hexadecimal digits.
    private mutating func codeUnit() throws(MalformedJSON) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let octet = self.current,
                let digit = Character(Unicode.Scalar(octet)).hexDigitValue
            else { throw MalformedJSON() }
            unit = unit << 4 | UInt16(digit)
            self.position += 1
        }
        return unit
    }

    // MARK: - Tokens

    private var current: UInt8? {
        self.position < self.octets.count ? self.octets[self.position] : nil
    }

    /// The next octet that is not white space (RFC 8259 §2).
    private mutating func next() -> UInt8? {
        while self.pass({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) {}
        return self.current
    }

    /// Skips the current octet if it meets a condition.
    @discardableResult
    private mutating func pass(_ condition: (UInt8) -> Bool) -> Bool {
        guard let octet = self.current, condition(octet) else { return false }
        self.position += 1
        return true
    }

    /// Skips an octet, and white space before it, if it is the next one.
    private mutating func skip(_ octet: UInt8) -> Bool {
        guard self.next() == octet else { return false }
        self.position += 1
        return true
    }

    private mutating func require(_ octet: UInt8) throws(MalformedJSON) {
        guard self.skip(octet) else { throw MalformedJSON() }
    }
}
