package import Access

/// Fairness: a session yields the event loop after a bounded amount of work.
extension SubmissionSession {
    /// The work that remains in the current turn.
    struct Turn {
        /// Commands per turn. One read of the socket may bring thousands of short commands.
        private static let maximumCommands = 16
        /// Pieces of message data per turn. A line that begins with a dot makes a piece of its own.
        private static let maximumPieces = 200

        private var commands = Self.maximumCommands
        private var pieces = Self.maximumPieces

        /// - Returns: false if the session must yield before the next command.
        mutating func takesCommand() -> Bool {
            self.commands -= 1
            return self.commands >= 0
        }

        /// - Returns: false if the session must yield before the next piece.
        mutating func takesPiece() -> Bool {
            self.pieces -= 1
            return self.pieces >= 0
        }
    }

    /// Yields the event loop to the other sessions. `resumeReading` continues.
    package mutating func yieldLoop() {
        guard !self.hasYielded else { return }
        if case .ended = self.running { return }
        self.hasYielded = true
        self.actions.append(.readLater)
    }

    /// Continues after a yield (``SubmissionAction/readLater``).
    package mutating func resumeReading(at now: Moment) {
        self.now = now
        self.hasYielded = false
        self.readClient()
    }
}
