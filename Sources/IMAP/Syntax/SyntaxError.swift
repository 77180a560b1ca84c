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
}
