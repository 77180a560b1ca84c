import Access
import NIOCore
import Session
import Store

/// The copy of the present message for Sent folders.
extension SubmissionClientHandler {
    /// Appends octets of the message to its copy.
    func keepCopy(_ octets: ByteBuffer) {
        guard self.context != nil else { return }
        if self.copy == nil {
            self.copy = self.gateway.sentCopies.begin(on: self.eventLoop)
            self.copy?.onDrained = { [weak self] in self?.resumeReading() }
        }
        self.copy?.append(octets)
    }

    /// Writes the copy to the disk, and to the database that nodes share, before the message goes
    /// out, and tells the session whether that succeeded.
    /// - Parameters:
    ///   - number: the number of the message.
    ///   - own: the accounts that belong to the sender.
    ///   - messageID: the message's Message-ID, if it has one.
    func syncCopy(
        _ number: UInt64,
        for accounts: [AccountID],
        own: Set<AccountID>,
        messageID: ByteBuffer?
    ) {
        guard let copy = self.copy else {
            return self.session.copyKept(number, succeeded: false, at: .current)
        }
        self.gateway.sentCopies.keep(
            copy,
            for: accounts,
            own: own,
            messageID: messageID,
            done: self.delivering { session, place in
                session.copyKept(
                    number,
                    succeeded: place != .nowhere,
                    isShared: place == .stored,
                    at: .current
                )
            }
        )
    }

    /// The message went out: files its copy.
    /// - Parameter number: the number of the message.
    func fileCopy(_ number: UInt64) {
        guard let copy = self.copy else {
            return self.session.copyFiled(number, at: .current)
        }
        self.copy = nil
        let bound = NIOLoopBound(self, eventLoop: copy.loop)
        self.gateway.sentCopies.file(copy) {
            bound.value.deliver { $0.copyFiled(number, at: .current) }
        }
    }
}
