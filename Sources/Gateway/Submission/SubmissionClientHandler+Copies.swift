import Access
import NIOCore
import Session
import Store

/// The copy for Sent folders of the message that is being sent.
extension SubmissionClientHandler {
    func keepCopy(_ octets: ByteBuffer) {
        guard self.context != nil else { return }
        if self.copy == nil {
            self.copy = self.gateway.sentCopies.begin(on: self.eventLoop)
            self.copy?.onDrained = { [weak self] in self?.resumeReading() }
        }
        self.copy?.append(octets)
    }

    func syncCopy(_ number: UInt64) {
        guard let copy = self.copy else {
            return self.session.copyKept(number, succeeded: false, at: .current)
        }
        copy.sync(
            self.delivering { $0.copyKept(number, succeeded: $1, at: .current) }
        )
    }

    func fileCopy(
        _ number: UInt64,
        for accounts: [AccountID],
        own: Set<AccountID>,
        messageID: ByteBuffer?
    ) {
        guard let copy = self.copy else {
            return self.session.copyFiled(number, at: .current)
        }
        self.copy = nil
        let bound = NIOLoopBound(self, eventLoop: copy.loop)
        self.gateway.sentCopies.file(copy, for: accounts, own: own, messageID: messageID) {
            bound.value.deliver { $0.copyFiled(number, at: .current) }
        }
    }
}
