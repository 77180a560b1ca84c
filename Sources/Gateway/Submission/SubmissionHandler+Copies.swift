import Access
import NIOCore
import Session
import Store

/// The copy for Sent folders of the message that is being sent.
extension SubmissionHandler {
    func keepCopy(_ octets: ByteBuffer) {
        guard let loop = self.context?.eventLoop else { return }
        if self.copy == nil {
            self.copy = self.gateway.sentCopies.begin(on: loop)
            self.copy?.onDrained = { [weak self] in self?.resumeReading() }
        }
        self.copy?.append(octets)
    }

    func syncCopy(_ number: UInt64) {
        guard let copy = self.copy else {
            return self.session.copyKept(number, succeeded: false, at: .current)
        }
        let bound = NIOLoopBound(self, eventLoop: copy.loop)
        copy.sync { succeeded in
            bound.value.takePermissions()
            bound.value.session.copyKept(number, succeeded: succeeded, at: .current)
            bound.value.perform()
        }
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
            bound.value.takePermissions()
            bound.value.session.copyFiled(number, at: .current)
            bound.value.perform()
        }
    }
}
