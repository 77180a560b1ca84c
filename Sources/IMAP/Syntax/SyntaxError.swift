/// Octets of a peer that do not parse, or that exceed a limit of this gateway.
///
/// Carries where and why, never the octets themselves: they may be a password.
package struct SyntaxError: Error, Equatable, Sendable {
    /// What the grammar wanted, or which limit was crossed.
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
    /// Octets from the start of the frame to the place of the error.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// A text that was written in the source, so that no octet of a peer can hide in an error.
package struct StaticText: Equatable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible
{
    package let description: String

    package init(stringLiteral value: StaticString) {
        self.description = value.description
    }
}

extension SyntaxError.Reason {
    /// What is wrong with a server's line, for an administrator.
    package var explanation: String {
        switch self {
        case .malformedLineEnd:
            "a line ends in LF or CR alone, or has a NUL in it, and not in CR LF"
        case .malformedLiteral, .literalNotAllowed, .literalTooLarge:
            "a literal is announced in a way that nobody can rely on"
        case .lineTooLong, .commandTooLarge, .tooDeep: "a response is too long or too deep"
        case .malformedTag: "a line is no response, or the answer to no command"
        case .malformedNumber: "a number is none, or is too large"
        case .controlOctet: "a string has a control octet in it"
        case .expected(let what): "\(what) is missing"
        case .unexpectedEnd, .trailingOctets, .unknownCommand:
            "a line is cut short or goes on too long"
        }
    }

    /// Whether a limit was crossed.
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

    /// Whether a command that was read whole has more parts than the gateway takes.
    package var isCount: Bool { self == .commandTooLarge || self == .tooDeep }
}
