import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Responses that cannot be parsed. An answer never ends with `OK` if a part of what the command
/// asked for is missing: clients treat as deleted what a complete answer does not contain.
///
/// - An unknown kind of response, a broken framing, or a response that may change the meaning of
///   message numbers ends the connection. The command is answered `NO [UNAVAILABLE]`, and a client
///   that has the mailbox selected is told that it is closed.
/// - An answer without such an effect (STATUS, QUOTA, ESEARCH, FLAGS) turns the `OK` of the command
///   into `NO`.
/// - A line of LIST is omitted. Its folder then does not exist for anybody but the owner.
///
/// Each such response is logged.
extension ClientSession {
    /// Lines of one answer that are logged. An account may have thousands of names that cannot be
    /// parsed.
    private static let maximumUnreadableLines = 16

    /// Logs the beginning of a line.
    mutating func reportUnreadable(_ line: ByteBuffer, from account: AccountID) {
        guard let upstream = self.upstreams[account],
            upstream.unreadableLines < Self.maximumUnreadableLines
        else { return }
        upstream.unreadableLines += 1
        self.actions.append(.lineUnreadable(account, UnreadableLine(line)))
    }

    /// Part of the answer to the command in flight cannot be parsed, so the command is not answered
    /// `OK`.
    mutating func answerUnreadable(_ line: ByteBuffer, from account: AccountID) {
        self.reportUnreadable(line, from: account)
        self.upstreams[account]?.isAnswerIncomplete = true
    }

    /// A collected response does not parse.
    ///
    /// - Throws: `error` if the connection cannot continue.
    mutating func responseUnreadable(
        _ data: CollectedData,
        response: ByteBuffer,
        from account: AccountID,
        error: SyntaxError
    ) throws(SyntaxError) {
        // The end of a response with a literal is certain only if the literal itself was parsed.
        guard response.isOneLine else { throw error }
        switch data {
        case .list, .lsub:
            try self.listLineUnreadable(response, from: account)
        case .status:
            self.statusUnreadable(response, from: account)
        case .flags:
            guard case .selecting = self.running else {
                // The keywords of a mailbox are reported again when it is selected.
                return self.reportUnreadable(response, from: account)
            }
            self.answerUnreadable(response, from: account)
        case .quota, .quotaRoot:
            self.answerUnreadable(response, from: account)
        }
    }

    /// Omits the folder of a LIST response: it does not exist then for anybody but the owner.
    ///
    /// - Throws: an error if the server lists more octets than the limit.
    private mutating func listLineUnreadable(
        _ line: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        self.reportUnreadable(line, from: account)
        switch self.running {
        case .transferring(let transferring) where transferring.plan.target == account:
            // The folder may exist, so the client is not told to create it.
            transferring.isTargetListed = true
        case .listing(let listing) where self.upstreams[account]?.housekeeping == nil:
            try listing.count(octets: line.readableBytes, from: account)
        default:
            try self.upstreams[account]?.count(octets: line.readableBytes)
        }
    }

    /// Logs a listed name of the account's own that has no path, and that the listing omits.
    mutating func reportOmitted(_ name: ByteBuffer, from account: AccountID) {
        guard self.upstreams[account]?.names.isOmitted(name) ?? false else { return }
        self.reportUnreadable(ByteBuffer(staticString: "* LIST ") + name, from: account)
    }

    /// A STATUS response does not parse. Its effect depends on the command that asked for it.
    private mutating func statusUnreadable(_ line: ByteBuffer, from account: AccountID) {
        if self.upstreams[account]?.housekeeping == .folders {
            return self.answerUnreadable(line, from: account)
        }
        switch self.running {
        case .forwarding(let forwarding)
        where forwarding.account == account && forwarding.expected.contains(.status):
            self.answerUnreadable(line, from: account)
        case .listing(let listing) where listing.identifies(account):
            // Without the identifier, a second name of a mailbox would look like another folder.
            self.answerUnreadable(line, from: account)
        case .listing:
            // The folder is listed without its counts (RFC 5819 §2).
            self.reportUnreadable(line, from: account)
        default:
            self.reportUnreadable(line, from: account)
            self.stopWatching()
        }
    }
}
