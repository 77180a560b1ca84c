/// `MAIL FROM:<anna@kanzlei.example> SIZE=1000 BODY=8BITMIME` (RFC 5321 §4.1.1.2).
package struct Mail: Equatable, Sendable {
    /// The encoding of the body (RFC 6152 §2).
    package enum Body: Equatable, Sendable {
        case sevenBit
        case eightBit
    }

    /// The longest value of ENVID, in characters (RFC 3461 §4.4).
    private static let maximumEnvelopeIDOctets = 100

    /// The part of the message that a failure notification returns (RFC 3461 §4.3).
    package enum Return: Equatable, Sendable {
        case full
        case headers
    }

    /// The reverse-path; nil for the null reverse-path `<>`.
    package var path: Path?
    /// The announced size of the message, in octets (RFC 1870 §6).
    package var size: UInt64?
    /// The value of BODY.
    package var body: Body?
    /// Whether SMTPUTF8 is requested (RFC 6531 §3.4).
    package var isInternational = false
    /// The value of RET.
    package var returns: Return?
    /// The value of ENVID: validated xtext (RFC 3461 §4.4).
    package var envelopeID: [UInt8]?

    /// Whether the command needs a server with DSN (RFC 3461).
    package var usesDSN: Bool { self.returns != nil || self.envelopeID != nil }

    /// - Parameter arguments: the octets after `MAIL `.
    init(arguments: ArraySlice<UInt8>) throws(SubmissionError) {
        guard arguments.starts(withWord: "FROM:") else { throw .malformedArguments }
        var rest = arguments.dropFirst("FROM:".utf8.count).drop { $0 == 0x20 }
        self.path = try Path.parse(&rest, of: .sender)
        for parameter in try Parameter.list(rest) { try self.take(parameter) }
        guard self.isInternational || !(self.path?.isInternational ?? false) else {
            throw .malformedPath
        }
    }

    private mutating func take(_ parameter: Parameter) throws(SubmissionError) {
        switch parameter.keyword {
        case "SIZE":
            guard let size = parameter.value?.decimalNumber else {
                throw .malformedParameter
            }
            self.size = size
        case "BODY":
            guard let value = parameter.value else { throw .malformedParameter }
            if value.equals(word: "7BIT") {
                self.body = .sevenBit
            } else if value.equals(word: "8BITMIME") {
                self.body = .eightBit
            } else {
                throw .unknownParameter
            }
        case "SMTPUTF8":
            guard parameter.value == nil else { throw .malformedParameter }
            self.isInternational = true
        case "RET":
            guard let value = parameter.value else { throw .malformedParameter }
            if value.equals(word: "FULL") {
                self.returns = .full
            } else if value.equals(word: "HDRS") {
                self.returns = .headers
            } else {
                throw .malformedParameter
            }
        case "ENVID":
            guard let value = parameter.value, value.count <= Self.maximumEnvelopeIDOctets,
                Parameter.isXtext(value)
            else { throw .malformedParameter }
            self.envelopeID = value
        case "AUTH":
            // RFC 4954 §5: only a trusted client may assert another identity, and no client is
            // trusted.
            guard parameter.value != nil else { throw .malformedParameter }
        default:
            throw .unknownParameter
        }
    }
}

/// `RCPT TO:<gericht@gericht.example> NOTIFY=FAILURE` (RFC 5321 §4.1.1.3).
package struct Recipient: Equatable, Sendable {
    /// The forward-path.
    package var path: Path
    /// The value of NOTIFY in canonical form (RFC 3461 §4.1).
    package var notify: String?
    /// The value of ORCPT, validated (RFC 3461 §4.2).
    package var original: [UInt8]?

    /// Whether the command needs a server with DSN (RFC 3461).
    package var usesDSN: Bool { self.notify != nil || self.original != nil }

    /// - Parameter arguments: the octets after `RCPT `.
    init(arguments: ArraySlice<UInt8>) throws(SubmissionError) {
        guard arguments.starts(withWord: "TO:") else { throw .malformedArguments }
        var rest = arguments.dropFirst("TO:".utf8.count).drop { $0 == 0x20 }
        guard let path = try Path.parse(&rest, of: .recipient) else { throw .malformedPath }
        self.path = path
        for parameter in try Parameter.list(rest) { try self.take(parameter) }
    }

    private mutating func take(_ parameter: Parameter) throws(SubmissionError) {
        switch parameter.keyword {
        case "NOTIFY":
            guard let value = parameter.value else { throw .malformedParameter }
            self.notify = try Self.notify(value)
        case "ORCPT":
            guard let value = parameter.value,
                let semicolon = value.firstIndex(of: UInt8(ascii: ";")), semicolon > 0,
                value[..<semicolon].allSatisfy({ $0.isLetter || $0.isDigit || $0 == 0x2D }),
                Parameter.isXtext(value[value.index(after: semicolon)...])
            else { throw .malformedParameter }
            self.original = value
        default:
            throw .unknownParameter
        }
    }

    ///     notify-esmtp-value = "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY")
    private static func notify(_ value: [UInt8]) throws(SubmissionError) -> String {
        let words = value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self).uppercased() }
        let known = Set(["SUCCESS", "FAILURE", "DELAY"])
        guard words == ["NEVER"] || known.isSuperset(of: words), Set(words).count == words.count
        else { throw .malformedParameter }
        return words.joined(separator: ",")
    }
}

/// A parameter of MAIL or RCPT: `keyword` or `keyword=value`.
struct Parameter {
    /// The most parameters: a client uses five.
    private static let maximumCount = 16

    /// The keyword in upper case.
    var keyword: String
    /// The value; nil without one.
    var value: [UInt8]?

    ///     esmtp-keyword ["=" esmtp-value]
    ///
    /// - Parameter rest: the octets after the path.
    /// - Throws: `malformedParameter`, also for a repeated keyword; `malformedPath`.
    static func list(_ rest: ArraySlice<UInt8>) throws(SubmissionError) -> [Parameter] {
        var parameters: [Parameter] = []
        guard rest.isEmpty || rest.first == 0x20 else { throw .malformedPath }
        for word in rest.split(separator: 0x20) {
            let keyword = word.prefix { $0 != UInt8(ascii: "=") }
            let hasValue = keyword.count < word.count
            let value = word.dropFirst(keyword.count + 1)
            guard keyword.first.map({ $0.isLetter || $0.isDigit }) ?? false,
                keyword.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }),
                !hasValue || !value.isEmpty,
                value.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") }
                )
            else { throw .malformedParameter }
            let name = String(decoding: keyword, as: UTF8.self).uppercased()
            guard parameters.count < Self.maximumCount,
                !parameters.contains(where: { $0.keyword == name })
            else { throw .malformedParameter }
            parameters.append(Parameter(keyword: name, value: hasValue ? Array(value) : nil))
        }
        return parameters
    }

    /// Whether a value is xtext that encodes printable ASCII (RFC 3461 §4).
    ///
    ///     xtext = *(xchar / hexchar)
    ///     hexchar = "+" 2(%x30-39 / %x41-46)
    static func isXtext(_ value: some Collection<UInt8>) -> Bool {
        var rest = value[...]
        guard !rest.isEmpty else { return false }
        while let octet = rest.first {
            rest = rest.dropFirst()
            guard octet > 0x20, octet < 0x7F, octet != UInt8(ascii: "=") else { return false }
            guard octet == UInt8(ascii: "+") else { continue }
            let digits = Array(rest.prefix(2))
            rest = rest.dropFirst(2)
            guard digits.count == 2, let high = self.hexDigit(digits[0]),
                let low = self.hexDigit(digits[1]), high << 4 | low >= 0x20, high << 4 | low < 0x7F
            else { return false }
        }
        return true
    }

    private static func hexDigit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x41 + 10
        default: nil
        }
    }
}
