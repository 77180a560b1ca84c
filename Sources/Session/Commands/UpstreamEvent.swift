import Access
import IMAP

import struct NIOCore.ByteBuffer

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
