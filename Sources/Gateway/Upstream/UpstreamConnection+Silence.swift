import NIOCore
import Session

/// A server that is logged in and says nothing.
extension UpstreamConnection {
    /// Whether the server has been silent for too long about what it owes the session; this is logged.
    func isSilent(_ awaited: AwaitedAnswer) -> Bool {
        guard self.clock.isExpired(awaited, isWritable: self.isWritable) else { return false }
        self.log("does not answer any more", error: nil)
        return true
    }

    /// The server is not asked again yet. Not at once: the session is in the middle of asking for this.
    func refuse(on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            let client = bound.value.detach()
            client?.upstreamFailed(bound.value.account, fault: .unreachable)
        }
    }
}
