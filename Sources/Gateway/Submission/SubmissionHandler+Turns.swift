import NIOCore
import Session
import Store

/// What a client has sent at once, by and by.
extension SubmissionHandler {
    func readOnLater() {
        guard let loop = self.eventLoop else { return }
        self.readsOnWhenWritable = false
        self.loop.workLater(self, on: loop)
    }

    /// What arrives when the time of a round is over is dealt with in a later turn.
    func yieldLoopWithoutTime() {
        guard let loop = self.eventLoop, !self.loop.hasTime(on: loop) else { return }
        self.session.yieldLoop()
    }

    func workOn() {
        guard self.context?.channel.isWritable ?? true else {
            self.readsOnWhenWritable = true
            return
        }
        self.takePermissions()
        self.session.resumeReading(at: .current)
        self.perform()
    }
}
