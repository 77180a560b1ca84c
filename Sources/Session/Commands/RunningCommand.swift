import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The state machine of one command on its way, held by a session until the command is answered.
///
/// A reference, because each response looks at it and a look must copy nothing; it belongs to one session.
protocol RunningCommand: AnyObject {
    /// Something happened at an account's server.
    ///
    /// - Returns: false where it does not concern the command.
    /// - Throws: where the server broke the protocol; its connection is dropped then.
    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool

    /// Other permissions are in force.
    func permissionsChanged(in context: inout some CommandContext)

    /// Whether the permissions in force end what the command does at an account's server.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool

    /// What an account's server, with a command in flight or between two commands, has to do next for the
    /// command.
    ///
    /// - Parameter isInFlight: whether a command waits for its answer there.
    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer?
}

extension RunningCommand {
    func permissionsChanged(in context: inout some CommandContext) {}

    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        false
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        isInFlight ? .prompt : nil
    }
}

/// What happens at an account's server while a command runs.
enum UpstreamEvent {
    /// The server asks for more: the next segment of a command, a message, or the end of IDLE.
    case continued
    /// The server completed the command in flight.
    case completed(Completion)
    /// The server told something by itself, or as a part of its answer.
    case untagged(UntaggedResponse)
    /// The server is connected, and waits for a command.
    case ready
    /// The connection is lost, or may not be used any more.
    /// - Parameter answer: of a command that cannot do without it.
    case lost(answer: ReplyText)
}

/// How a server completed a command.
struct Completion {
    /// `NO` where the server said `OK`, and a part of its answer could not be read.
    var condition: Condition
    var code: ResponseCode?
    /// Whether a part of the answer could not be read.
    var isIncomplete = false
}

/// An untagged response that a running command may be waiting for.
enum UntaggedResponse {
    /// `* OK [UIDNEXT 17]`
    case status(ResponseCode)
    /// `* FLAGS (\Seen)`
    case flags([ByteBuffer])
    /// `* LIST () "/" INBOX`, or LSUB.
    /// - Parameter octets: of the whole response.
    case list(ListResponse, octets: Int, isLsub: Bool)
    /// `* STATUS INBOX (MESSAGES 3)`, of a folder of the account.
    case counts(StatusResponse, FolderPath)
    /// `* QUOTAROOT INBOX ""`
    case quotaRoot(QuotaRootResponse)
    /// A FETCH response that was read whole.
    case fetch(ByteBuffer)
}
