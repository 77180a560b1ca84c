package import Access
import IMAP

/// Work is done in turns of the event loop, so that one session does not block it.
extension ClientSession {
    /// Pieces of responses that are processed in one turn, of all servers together. One read from a
    /// socket may contain thousands of short responses, and a session has hundreds of sockets that
    /// are read one after the other.
    private static let maximumPieces = 200

    /// Yields the event loop to other sessions; `resumeReading` continues.
    package mutating func yieldLoop() {
        guard !self.hasYielded else { return }
        if case .ended = self.running { return }
        self.hasYielded = true
        self.actions.append(.readLater)
    }

    /// The session may continue after a yield: deferred servers are read first, then the client.
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

    /// Processes buffered responses of a server until it has no more, they are not wanted now, or
    /// the turn is over.
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

    /// Processes all buffered responses of a server that has closed the connection.
    mutating func readUpstreamToItsEnd(_ account: AccountID) {
        self.upstreams[account]?.isReadDeferred = false
        while self.readPiece(of: account) {}
    }

    /// Processes one piece of a response. A malformed one closes the connection to the server.
    ///
    /// - Returns: false if there is none, or none is wanted now.
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
            // The log gets only the beginning of a line, because literals contain messages.
            self.reportUnreadable(
                upstream.firstPiece ?? next?.octets ?? upstream.reader.unread,
                from: account
            )
            self.upstreamViolated(account)
            return false
        }
    }
}
