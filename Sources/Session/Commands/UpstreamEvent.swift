import Access
import IMAP

import struct NIOCore.ByteBuffer

/// An event of an account's server for the running command.
enum UpstreamEvent {
    /// The server sent a continuation request: for the next segment, for a message, or because it accepted IDLE.
    case continued
    /// The server completed the command in flight.
    case completed(Completion)
    /// The server sent an untagged response, as a part of its answer or unsolicited.
    case untagged(UntaggedResponse)
    /// The gateway is logged in and no command is in flight.
    case ready
    /// The connection is lost, or the permissions no longer allow its use.
    /// - Parameter answer: the tagged response of a command that needs the connection.
    case lost(answer: ReplyText)
}

/// The tagged response of a server.
struct Completion {
    /// The server's condition. It is `NO` instead of `OK` if a part of the answer did not parse.
    var condition: Condition
    var code: ResponseCode?
    /// Whether the server sent `OK`, but a part of the answer did not parse.
    var isIncomplete = false
}

/// An untagged response that a running command may be waiting for.
enum UntaggedResponse {
    /// `* OK [UIDNEXT 17]`
    case status(ResponseCode)
    /// `* FLAGS (\Seen)`
    case flags([ByteBuffer])
    /// `* LIST () "/" INBOX`, or LSUB.
    /// - Parameter octets: the length of the whole response.
    case list(ListResponse, octets: Int, isLsub: Bool)
    /// `* STATUS INBOX (MESSAGES 3)`, of a folder of the account.
    case counts(StatusResponse, FolderPath)
    /// `* QUOTAROOT INBOX ""`
    case quotaRoot(QuotaRootResponse)
    /// A whole FETCH response.
    case fetch(ByteBuffer)
}
