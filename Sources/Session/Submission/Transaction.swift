import Access
import SMTP

import struct NIOCore.ByteBuffer

/// One message from MAIL to its end. Whatever was decided about it is kept here, so that nothing
/// of it outlives it.
struct Transaction {
    var mail: Mail
    /// The account whose server carries the message; nil for the null reverse-path until From
    /// names one.
    var route: AccountID?
    /// Who was accepted, in order.
    var recipients: [Recipient] = []
    /// Who the header says it is from, once it is judged.
    var authors: MessageAuthors?
    /// What `Sender` says of who sends on behalf; nil where it may say anything.
    var signature: Signature?
    /// What the audit log has of it, once it went out.
    var audited: [AuditEvent] = []
    /// The message between two of its chunks.
    var chunks: Receiving?

    var reversePath: ClaimedAddress? { self.mail.path.map { ClaimedAddress($0.address) } }
}

/// The answer of a server that a transaction waits for.
enum PendingReply {
    /// The server is being connected, for MAIL.
    case connection
    /// The transaction before was left open there.
    case reset
    case mail
    case rcpt(Recipient)
}

/// A message on its way from the client.
///
/// A reference, so that what is collected grows in place; it belongs to one session.
final class Receiving {
    enum Stage {
        /// The header is not whole.
        case header
        /// The server of a null reverse-path is being connected, and told who sends and who
        /// receives; so many recipients were told.
        case envelope(recipientsSent: Int)
        /// The server was asked to take the message.
        case data
        case streaming
        /// The copy for the Sent folder is brought to the disk, before the end is sent.
        case keepingCopy
        /// The end was sent.
        case verdict
        /// The server has taken the message. Its copy gets a name that outlasts the gateway; then the client gets
        /// this reply.
        case filingCopy(SubmissionReply)
        /// The message is refused; the rest of it is thrown away before that is said.
        case discarding(SubmissionReply)
    }

    var stage = Stage.header
    var collector = HeaderCollector()
    var stream: MessageStream
    var stuffing = DotStuffing()
    /// What goes to the server as soon as it takes the message.
    var pending: [ByteBuffer] = []
    /// Accounts in whose Sent folders the message is filed.
    var copies: [AccountID] = []
    /// Octets that were kept for each of them.
    var copyOctets: UInt64 = 0
    var messageID: ByteBuffer?
    /// Octets of the present chunk that are still to come; nil for DATA.
    var chunk: (rest: UInt64, isLast: Bool)?
    /// Whether the client has sent all of it.
    var isComplete = false

    init(_ form: MessageStream.Form) {
        self.stream = MessageStream(form)
    }

    var awaitsUpstream: Bool {
        switch self.stage {
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy: true
        case .header, .streaming, .discarding: false
        }
    }

    var isStreaming: Bool {
        guard case .streaming = self.stage else { return false }
        return true
    }

    var isRefused: Bool {
        guard case .discarding = self.stage else { return false }
        return true
    }

    /// Whether the server is in the middle of the message, which only closing can take back.
    var isInData: Bool {
        switch self.stage {
        case .data, .streaming, .keepingCopy, .verdict: true
        case .header, .envelope, .filingCopy, .discarding: false
        }
    }

    /// Whether the end of the message was sent: nothing takes the message back.
    var isPastEnd: Bool {
        switch self.stage {
        case .verdict, .filingCopy: true
        case .header, .envelope, .data, .streaming, .keepingCopy, .discarding: false
        }
    }
}

/// What a session knows of its connection to a server.
struct SubmissionUpstream {
    enum State {
        case connecting
        case ready(SubmissionProfile)
    }

    var account: AccountID
    var state = State.connecting
    var reader = ServerReplyReader()
    /// Whether a transaction was begun there and not ended, so that RSET has to come first.
    var isDirty = false
    /// Whether it is not the account's server any more, or the credential not its.
    var isOutdated = false

    var profile: SubmissionProfile? {
        guard case .ready(let profile) = self.state else { return nil }
        return profile
    }
}
