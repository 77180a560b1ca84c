import Access
import NIOCore
import Session
import Store

/// The connection to the submission server of the present message's account.
extension SubmissionClientHandler: SubmissionConnectionClient {
    /// Opens a connection to an account's submission server.
    func openUpstream(_ account: AccountID) {
        guard self.context != nil, let target = self.permissions.endpoints[account],
            let endpoint = target.smtp
        else { return self.session.upstreamFailed(.noServer) }
        let connection = SubmissionConnection(
            endpoint: endpoint,
            target: target,
            user: self.session.authenticatedUser,
            client: self,
            upstream: self.gateway.upstream
        )
        self.upstream = connection
        connection.open(on: self.eventLoop)
    }

    func flushUpstream() {
        self.upstream?.flush()
    }

    // MARK: - From the server

    /// The time of the server's answer begins again, and the session sends its message.
    func upstreamReady(_ profile: SubmissionProfile) {
        self.transactionClock.serverSpoke(at: self.eventLoop.now)
        self.deliver { $0.upstreamReady(profile) }
    }

    /// The connection is removed before the session learns of it.
    func upstreamFailed(_ fault: SubmissionFault) {
        self.upstream = nil
        self.deliver { $0.upstreamFailed(fault) }
    }

    /// Octets of the server also count as activity of the client, which waits for them.
    func upstreamOctetsReceived(_ octets: ByteBuffer) {
        self.clock.touch(at: self.eventLoop.now)
        self.transactionClock.serverSpoke(at: self.eventLoop.now)
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.upstreamOctetsReceived(octets, at: .current)
        self.perform()
    }

    /// The connection is removed before the session learns of it.
    func upstreamClosed() {
        self.upstream = nil
        self.deliver { $0.upstreamClosed() }
    }

    /// The account of the present message has another server or credential: the session leaves the
    /// old one.
    func upstreamsChanged(to permissions: StoreSnapshot) {
        guard let target = self.upstream?.target,
            permissions.endpoints[target.id]?.sendingServer != target.sendingServer
        else { return }
        self.session.serverChanged()
    }

    // MARK: - Back-pressure

    /// Back-pressure: a message is read while its server and its copy take octets.
    var takesClientOctets: Bool {
        guard self.copy?.isWritable ?? true else { return false }
        return !self.session.read({ $0.isStreaming }) || self.upstream?.isWritable ?? true
    }

    func resumeReadingUpstream() {
        if self.isWritable { self.upstream?.resumeReading() }
    }

    func clientWritable() {}
}
