/// An error in a peer's octets: they do not parse, or they exceed a limit of the gateway.
///
/// It contains the reason and the position, never the octets: they may be a password.
package struct SyntaxError: Error, Equatable, Sendable {
    /// The expected element, or the limit.
    package enum Reason: Equatable, Sendable {
        case expected(StaticText)
        case unexpectedEnd
        case trailingOctets
        case malformedLineEnd
        case controlOctet
        case malformedLiteral
        case literalNotAllowed
        case lineTooLong
        case literalTooLarge
        case commandTooLarge
        case tooDeep
        case malformedTag
        case unknownCommand
        case malformedNumber
    }

    package var reason: Reason
    /// The position of the error, in octets from the start of the frame.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// A text from the source code: an error can therefore never contain octets of a peer.
package struct StaticText: Equatable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible
{
    package let description: String

    package init(stringLiteral value: StaticString) {
        self.description = value.description
    }
}

extension SyntaxError.Reason {
    /// Describes an error in a server's line to an administrator.
    package var explanation: String {
        switch self {
        case .malformedLineEnd:
            "a line does not end with CR LF, or contains a single CR or LF or a NUL"
        case .malformedLiteral, .literalNotAllowed, .literalTooLarge:
            "the announcement of a literal is invalid or not allowed"
        case .lineTooLong, .commandTooLarge, .tooDeep: "a response is too long or too deeply nested"
        case .malformedTag: "a line is no response, or answers no command"
        case .malformedNumber: "a number is invalid or too large"
        case .controlOctet: "a string contains a control octet"
        case .expected(let what): "\(what) is missing"
        case .unexpectedEnd, .trailingOctets, .unknownCommand:
            "a line is too short or too long"
        }
    }

    /// Whether a size limit was exceeded.
    package var isSize: Bool {
        switch self {
        case .lineTooLong, .literalTooLarge, .commandTooLarge:
            true
        case .expected, .unexpectedEnd, .trailingOctets, .malformedLineEnd, .controlOctet,
            .malformedLiteral, .literalNotAllowed, .tooDeep, .malformedTag, .unknownCommand,
            .malformedNumber:
            false
        }
    }

    /// Whether a complete command has more parts than the gateway accepts.
    package var isCount: Bool { self == .commandTooLarge || self == .tooDeep }
}
