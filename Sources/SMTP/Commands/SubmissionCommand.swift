package import SASL

/// A client's command, parsed completely: it contains no unknown part (RFC 5321 §4.1, RFC 6409).
package enum SubmissionCommand: Equatable, Sendable {
    /// EHLO. The client's name is validated and dropped.
    case ehlo
    case helo
    case startTLS
    /// - Parameter initialResponse: base64 as the client sent it; `=` for an empty response (RFC 4954 §4).
    case auth(mechanism: [UInt8], initialResponse: Secret<[UInt8]>?)
    case mail(Mail)
    case rcpt(Recipient)
    case data
    case bdat(count: UInt64, isLast: Bool)
    case rset
    case noop
    case quit
    /// VRFY, whose answer reveals nothing (RFC 5321 §3.5.3).
    case vrfy
    /// A verb that the gateway does not serve: HELP, EXPN, ETRN, TURN, BURL and others.
    case unserved
}

extension SubmissionCommand {
    /// The longest argument of EHLO, in octets; RFC 5321 §4.5.3.1.2 allows 255 for a domain.
    private static let maximumNameOctets = 512

    /// Parses a command line.
    ///
    /// - Parameter line: the line without CR LF.
    /// - Throws: `unknownCommand`, or the error in the arguments.
    package init(line: [UInt8]) throws(SubmissionError) {
        let verb = line.prefix { $0 != 0x20 }
        let rest = line.dropFirst(verb.count)
        // Some clients send several spaces, or spaces at the end; mail servers accept them.
        let arguments = Self.withoutOuterBlanks(rest)
        switch String(decoding: verb.prefix(16).map(\.asciiUppercased), as: UTF8.self) {
        case "EHLO", "HELO", "LHLO":
            guard !arguments.isEmpty, arguments.count <= Self.maximumNameOctets,
                arguments.allSatisfy({ !$0.isControl && $0 != 0x20 })
            else { throw .malformedArguments }
            if verb.equals(word: "LHLO") { throw .unknownCommand }
            self = verb.equals(word: "EHLO") ? .ehlo : .helo
        case "MAIL": self = .mail(try Mail(arguments: arguments))
        case "RCPT": self = .rcpt(try Recipient(arguments: arguments))
        case "AUTH": self = try Self.auth(arguments)
        case "BDAT": self = try Self.bdat(arguments)
        case "STARTTLS": self = try Self.bare(.startTLS, rest: rest)
        case "DATA": self = try Self.bare(.data, rest: rest)
        case "RSET": self = try Self.bare(.rset, rest: rest)
        case "QUIT": self = try Self.bare(.quit, rest: rest)
        case "NOOP": self = .noop
        case "VRFY": self = .vrfy
        case "HELP", "EXPN", "ETRN", "TURN", "ATRN", "BURL", "SEND", "SOML", "SAML", "XCLIENT",
            "XFORWARD":
            self = .unserved
        default: throw .unknownCommand
        }
    }

    private static func withoutOuterBlanks(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = octets.drop { $0 == 0x20 }
        let blanks = start.reversed().prefix { $0 == 0x20 }
        return start.dropLast(blanks.count)
    }

    /// A command without arguments; spaces at the end are ignored (RFC 5321 §4.1.1).
    private static func bare(
        _ command: SubmissionCommand,
        rest: ArraySlice<UInt8>
    ) throws(SubmissionError) -> SubmissionCommand {
        guard rest.allSatisfy({ $0 == 0x20 }) else { throw .malformedArguments }
        return command
    }

    ///     "AUTH" SP sasl-mech [SP initial-response]
    private static func auth(
        _ arguments: ArraySlice<UInt8>
    ) throws(SubmissionError) -> SubmissionCommand {
        let words = arguments.split(separator: 0x20)
        guard (1...2).contains(words.count), let mechanism = words.first else {
            throw .malformedArguments
        }
        return .auth(
            mechanism: Array(mechanism),
            initialResponse: words.count == 2 ? Secret(Array(words[1])) : nil
        )
    }

    ///     bdat-cmd = "BDAT" SP chunk-size [SP "LAST"]
    private static func bdat(
        _ arguments: ArraySlice<UInt8>
    ) throws(SubmissionError) -> SubmissionCommand {
        let words = arguments.split(separator: 0x20)
        guard let size = words.first, let count = size.decimalNumber,
            words.count == 1 || words.count == 2 && words[1].equals(word: "LAST")
        else { throw .malformedChunkSize }
        return .bdat(count: count, isLast: words.count == 2)
    }
}
