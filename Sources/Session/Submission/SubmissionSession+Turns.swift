package import Access

/// Work that is done in turns, so that one session does not hold the loop.
extension SubmissionSession {
    /// What the session may still do for its client in this turn.
    struct Turn {
        /// A read of the socket brings thousands of short commands.
        private static let maximumCommands = 16
        /// Pieces of messages: a message of lines that begin with a dot has one for each line.
        private static let maximumPieces = 200

        private var commands = Self.maximumCommands
        private var pieces = Self.maximumPieces

        /// - Returns: false where the next turn begins before the next command.
        mutating func takesCommand() -> Bool {
            self.commands -= 1
            return self.commands >= 0
        }

        /// - Returns: false where the next turn begins before the next piece.
        mutating func takesPiece() -> Bool {
            self.pieces -= 1
            return self.pieces >= 0
        }
    }

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
        self.readClient()
    }
}
