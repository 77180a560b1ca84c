import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What becomes of a response that cannot be read. Nothing that a command asked for is missing under an
/// `OK`: clients take for deleted what is not in a complete answer.
///
/// - A response whose kind is unknown, that breaks the framing, or that may change which message a number
///   means, ends the connection: the command is answered `NO [UNAVAILABLE]`, and a client that has the
///   mailbox open is told that it is closed.
/// - An answer that changes nothing (STATUS, QUOTA, ESEARCH, FLAGS) costs the command its `OK`.
/// - A line of LIST costs the one folder, which does not exist then for anybody.
///
/// Each is logged.
extension ClientSession {
    /// Lines of one answer that are logged; an account may have thousands of names that cannot be read.
    private static let maximumUnreadableLines = 16

    /// Logs the beginning of a line.
    mutating func reportUnreadable(_ line: ByteBuffer, from account: AccountID) {
        guard let upstream = self.upstreams[account],
            upstream.unreadableLines < Self.maximumUnreadableLines
        else { return }
        upstream.unreadableLines += 1
        self.actions.append(.lineUnreadable(account, UnreadableLine(line)))
    }

    /// A part of the answer to the command in flight cannot be read: it is not answered `OK`.
    mutating func answerUnreadable(_ line: ByteBuffer, from account: AccountID) {
        self.reportUnreadable(line, from: account)
        self.upstreams[account]?.isAnswerIncomplete = true
    }

    /// A collected response cannot be read.
    /// - Throws: `error` where the connection cannot go on.
    mutating func responseUnreadable(
        _ data: CollectedData,
        response: ByteBuffer,
        from account: AccountID,
        error: SyntaxError
    ) throws(SyntaxError) {
        // Where a response with a literal ends is certain only if the literal is one.
        guard response.isOneLine else { throw error }
        switch data {
        case .list, .lsub:
            try self.listLineUnreadable(response, from: account)
        case .status:
            self.statusUnreadable(response, from: account)
        case .flags:
            guard case .selecting = self.running else {
                // Which keywords a mailbox has is told again when it is opened.
                return self.reportUnreadable(response, from: account)
            }
            self.answerUnreadable(response, from: account)
        case .quota, .quotaRoot:
            self.answerUnreadable(response, from: account)
        }
    }

    /// A folder's line is left out: for others than the owner it does not exist then.
    private mutating func listLineUnreadable(
        _ line: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        self.reportUnreadable(line, from: account)
        switch self.running {
        case .transferring(let transferring) where transferring.plan.target == account:
            // It may be there: the client is not told to make it.
            transferring.isTargetListed = true
        case .listing(let listing) where self.upstreams[account]?.housekeeping == nil:
            try listing.count(octets: line.readableBytes, from: account)
        default:
            try self.upstreams[account]?.count(octets: line.readableBytes)
        }
    }

    /// A listed name of the account's own that has no path is left out.
    mutating func reportOmitted(_ name: ByteBuffer, from account: AccountID) {
        guard self.upstreams[account]?.names.isOmitted(name) ?? false else { return }
        self.reportUnreadable(ByteBuffer(staticString: "* LIST ") + name, from: account)
    }

    private mutating func statusUnreadable(_ line: ByteBuffer, from account: AccountID) {
        if self.upstreams[account]?.housekeeping == .folders {
            return self.answerUnreadable(line, from: account)
        }
        switch self.running {
        case .forwarding(let forwarding)
        where forwarding.account == account && forwarding.expected.contains(.status):
            self.answerUnreadable(line, from: account)
        case .listing(let listing) where listing.identifies(account):
            // Without its identifier, another name of a mailbox would be a folder of its own.
            self.answerUnreadable(line, from: account)
        case .listing:
            // One folder is listed without its counts (RFC 5819 §2).
            self.reportUnreadable(line, from: account)
        default:
            self.reportUnreadable(line, from: account)
            self.stopWatching()
        }
    }
}
