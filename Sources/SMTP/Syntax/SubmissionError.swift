/// Octets of a peer that do not parse, or that exceed a limit of this gateway.
///
/// Carries what is wrong, never the octets themselves: they may be a password.
package enum SubmissionError: Error, Equatable, Sendable {
    /// A line that is no command.
    case unknownCommand
    case malformedArguments
    /// A path that is none, with a source route, or without a domain.
    case malformedPath
    /// A parameter of MAIL or RCPT that is not offered.
    case unknownParameter
    case malformedParameter
    /// Where a chunk ends cannot be known, so that nothing that follows can.
    case malformedChunkSize
    /// Longer than a command, and read away.
    case lineTooLong
    /// A line that is read away and does not end.
    case endlessLine
    /// A CR without LF, an LF without CR, or a NUL.
    case bareLineEnd
    /// A server's answer that is none.
    case malformedReply
}
