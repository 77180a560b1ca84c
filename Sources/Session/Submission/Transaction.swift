import Access
import SMTP

import struct NIOCore.ByteBuffer

/// A mail transaction, from MAIL to the end of its message. It holds every decision about the message, so that no
/// decision outlives the transaction.
struct Transaction {
    let mail: Mail
    /// The address in MAIL; nil for the null reverse-path.
    let reversePath: ClaimedAddress?
    /// The account whose submission server gets the message. With the null reverse-path it is nil until the header
    /// check.
    var route: AccountID?
    /// The accepted recipients, in order.
    var recipients: [Recipient] = []
    /// The authors in the header, once the header is checked.
    var authors: MessageAuthors?
    /// The user whom the Sender field of the sent header names; nil if the field names another address, or is absent.
    var signature: Signature?
    /// The audit records to write once the message is sent.
    var audited: [AuditEvent] = []
    /// The message, between two BDAT chunks.
    var chunks: Receiving?

    init(mail: Mail) {
        self.mail = mail
        self.reversePath = mail.path.map { ClaimedAddress($0.address) }
    }
}

/// The event that a transaction waits for.
enum PendingReply {
    /// The connection to the server; MAIL follows.
    case connection
    /// The reply to RSET, which ends an earlier transaction at the server; MAIL follows.
    case reset
    /// The replies to commands of the transaction (``PipelinedCommands``).
    case commands
}

/// A message that the client is sending.
///
/// A reference type, so that its buffers grow in place. One session owns it.
final class Receiving {
    enum Stage {
        /// The header is incomplete.
        case header
        /// The envelope of a message with a null reverse-path is being sent, after the connection is open. The number
        /// counts the RCPT commands that were sent.
        case envelope(recipientsSent: Int)
        /// DATA was sent; 354 is awaited.
        case data
        /// Octets go to the server as they arrive.
        case streaming
        /// The copy for the Sent folder is being written to the disk; then the end of the message is sent.
        case keepingCopy
        /// The end of the message was sent; the server's reply is awaited.
        case verdict
        /// The server accepted the message. The copy is being marked as sent, which survives a restart; then the client
        /// gets this reply.
        case filingCopy(SubmissionReply)
        /// The message is refused. Its remaining octets are discarded, then the client gets this reply.
        case discarding(SubmissionReply)
    }

    /// The server's reply to DATA that was sent before the permission check of the header.
    enum DataAhead {
        /// DATA was not sent ahead.
        case notSent
        case awaited
        /// 354, or a refusal. It counts once the header is checked.
        case received(ServerReply)
    }

    var stage = Stage.header
    var dataAhead = DataAhead.notSent
    /// Collects the header until its empty line.
    var collector = HeaderCollector()
    /// Decodes the client's octets: dot-unstuffing after DATA, plain octets for BDAT.
    var stream: MessageStream
    /// Stuffs dots for the server, which always gets the message with DATA.
    var stuffing = DotStuffing()
    /// Octets to send once the server accepts DATA.
    var pending: [ByteBuffer] = []
    /// Accounts whose Sent folders get a copy of the message.
    var copies: [AccountID] = []
    /// Whether the message is refused if the copy cannot be kept.
    var requiresCopies = false
    /// Accounts that get no copy, because the disk did not take it.
    var missingCopies: [AccountID] = []
    /// Octets reserved in each of these accounts.
    var copyOctets: UInt64 = 0
    /// The value of the header's Message-ID field.
    var messageID: ByteBuffer?
    /// The octets of the current chunk that have not arrived yet; nil for DATA.
    var chunk: (rest: UInt64, isLast: Bool)?
    /// Whether all octets of the message have arrived.
    var isComplete = false

    init(_ form: MessageStream.Form) {
        self.stream = MessageStream(form)
    }

    /// Whether no more of the message is read until the server replies, or the copy's operation completes.
    var awaitsUpstream: Bool {
        switch self.stage {
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy: true
        case .header, .streaming, .discarding: false
        }
    }

    /// Whether octets go to the server as they arrive.
    var isStreaming: Bool {
        guard case .streaming = self.stage else { return false }
        return true
    }

    /// Whether the message was refused; its remaining octets are discarded.
    var isRefused: Bool {
        guard case .discarding = self.stage else { return false }
        return true
    }

    /// Whether the server may wait for the message before the permission check of the header.
    private var isDataAhead: Bool {
        switch self.dataAhead {
        case .notSent: false
        case .awaited: true
        case .received(let reply): !reply.isRefusal
        }
    }

    /// Whether DATA was sent and not completed. Only closing the connection withdraws the message then.
    var isInData: Bool {
        switch self.stage {
        case .header: self.isDataAhead
        case .data, .streaming, .keepingCopy, .verdict: true
        case .envelope, .filingCopy, .discarding: false
        }
    }

    /// Whether the end of the message was sent. The message cannot be withdrawn any more.
    var isPastEnd: Bool {
        switch self.stage {
        case .verdict, .filingCopy: true
        case .header, .envelope, .data, .streaming, .keepingCopy, .discarding: false
        }
    }
}

/// A session's state of its connection to a submission server.
struct SubmissionUpstream {
    enum State {
        /// The connection is being opened, or the login is in progress.
        case connecting
        case ready(SubmissionProfile)
    }

    var account: AccountID
    var state = State.connecting
    var reader = ServerReplyReader()
    /// Whether a transaction is open at the server, so that RSET must precede the next MAIL.
    var isDirty = false
    /// Whether the account's server or credential has changed since the connection was opened.
    var isOutdated = false

    /// The server's extensions; nil until the gateway is logged in.
    var profile: SubmissionProfile? {
        guard case .ready(let profile) = self.state else { return nil }
        return profile
    }
}
