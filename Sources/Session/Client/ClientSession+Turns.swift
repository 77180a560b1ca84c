package import Access
import IMAP

/// Work that is done in turns, so that one session does not hold the loop.
extension ClientSession {
    /// Pieces of responses that are dealt with in a turn, of all servers together: a read of a socket may
    /// bring thousands of short ones, and a session has hundreds of sockets that are read one after the
    /// other.
    private static let maximumPieces = 200

    /// Lets the other sessions on the loop work; `resumeReading` goes on.
    package mutating func yieldLoop() {
        guard !self.hasYielded else { return }
        if case .ended = self.running { return }
        self.hasYielded = true
        self.actions.append(.readLater)
    }

    /// The session has the event loop again.
    package mutating func resumeReading(at now: Moment) {
        self.now = now
        self.hasYielded = false
        self.pieces = 0
        for (account, upstream) in self.upstreams where upstream.isReadDeferred {
            upstream.isReadDeferred = false
            self.readUpstream(account)
        }
        self.readClient()
    }

    /// Takes what has come from a server, as long as it is wanted and the turn lasts.
    mutating func readUpstream(_ account: AccountID) {
        guard !self.hasYielded else {
            self.upstreams[account]?.isReadDeferred = true
            return
        }
        while self.readPiece(of: account) {
            self.pieces += 1
            guard self.pieces >= Self.maximumPieces else { continue }
            self.upstreams[account]?.isReadDeferred = true
            return self.yieldLoop()
        }
    }

    /// Takes all that a server said before it closed the connection.
    mutating func readUpstreamToItsEnd(_ account: AccountID) {
        self.upstreams[account]?.isReadDeferred = false
        while self.readPiece(of: account) {}
    }

    /// - Returns: false where there is none, or none is wanted now.
    private mutating func readPiece(of account: AccountID) -> Bool {
        guard self.wantsOctets(from: account), let upstream = self.upstreams[account] else {
            return false
        }
        var next: ResponseReader.Piece?
        do {
            next = try upstream.reader.next()
            guard let piece = next else { return false }
            if piece.isFirst { upstream.firstPiece = piece.isLast ? nil : piece.octets }
            try self.pieceReceived(piece, from: account)
            if piece.isLast { upstream.firstPiece = nil }
            return true
        } catch {
            // Only what begins a line: literals hold messages.
            self.reportUnreadable(
                upstream.firstPiece ?? next?.octets ?? upstream.reader.unread,
                from: account
            )
            self.upstreamViolated(account)
            return false
        }
    }
}
