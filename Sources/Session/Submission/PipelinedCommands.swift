import Access
import SMTP

/// Commands of a transaction that the server has not answered yet, oldest first.
///
/// A server with PIPELINING (RFC 2920) gets RCPT and DATA before it has answered the earlier commands. A reply names
/// no command: only the order tells which command it answers.
struct PipelinedCommands {
    enum Command {
        case mail
        /// RCPT, and the time at which ``SendingCounter`` counted the recipient.
        case rcpt(Recipient, countedAt: Moment)
        /// DATA, sent before the permission check of the header. No octet of the message follows without that check.
        case data
    }

    /// The most commands that wait for a reply. A client sends some dozens of recipients at once. Without a limit, a
    /// server that does not answer would let the list grow.
    private static let maximumCount = 50
    /// The longest line that other commands may follow, with its end (RFC 5321 §4.5.3.1.4). A server may answer a
    /// longer line twice, and the next command would get the second reply.
    private static let maximumLineOctets = 512

    private var commands: [Command] = []
    /// Whether the next command waits for all replies.
    private var isWaiting = false

    var isEmpty: Bool { self.commands.isEmpty }
    var count: Int { self.commands.count }
    /// Whether another command may be sent now.
    var takesCommand: Bool { !self.isWaiting && self.commands.count < Self.maximumCount }

    /// Whether the reply to DATA is the next one.
    var isAtData: Bool {
        guard case .data = self.commands.first else { return false }
        return true
    }

    /// The number of RCPT commands that wait.
    var recipients: Int {
        self.commands.count { if case .rcpt = $0 { true } else { false } }
    }

    /// Whether a line may be sent before the replies to the commands that wait.
    static func mayFollow(octets: Int) -> Bool { octets <= self.maximumLineOctets }

    /// Adds a command that was sent.
    ///
    /// - Parameter octets: the length of its line, with the end.
    mutating func append(_ command: Command, octets: Int) {
        self.commands.append(command)
        if case .data = command { self.isWaiting = true }
        if octets > Self.maximumLineOctets { self.isWaiting = true }
    }

    /// No further command is sent before all replies have arrived.
    mutating func waitForReplies() {
        self.isWaiting = true
    }

    /// Removes the oldest command: the next reply answers it.
    mutating func removeFirst() -> Command? {
        guard !self.commands.isEmpty else { return nil }
        let first = self.commands.removeFirst()
        if self.commands.isEmpty { self.isWaiting = false }
        return first
    }
}
