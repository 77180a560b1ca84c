/// An error in a peer's octets: they do not parse, or they exceed a limit of the gateway.
///
/// It contains the reason, never the octets: they may be a password.
package enum SubmissionError: Error, Equatable, Sendable {
    /// The line is no command.
    case unknownCommand
    /// The arguments do not match the command's grammar.
    case malformedArguments
    /// The path is invalid, has a source route, or lacks a domain.
    case malformedPath
    /// The parameter of MAIL or RCPT is not offered.
    case unknownParameter
    /// The parameter has an invalid value, or is repeated.
    case malformedParameter
    /// The chunk size is invalid: the end of the chunk, and all that follows, is unknown.
    case malformedChunkSize
    /// The line is longer than a command. It was discarded.
    case lineTooLong
    /// The line does not end within the limit.
    case endlessLine
    /// The line contains a CR without LF, an LF without CR, or a NUL.
    case bareLineEnd
    /// The server's reply is invalid.
    case malformedReply
}
