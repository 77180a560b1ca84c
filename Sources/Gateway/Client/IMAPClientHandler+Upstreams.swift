import Access
import NIOCore
import Session
import Store

/// The session's connections to mail servers.
extension IMAPClientHandler: UpstreamConnectionClient {
    /// Opens a connection to an account's server. The session is told of a failure in a later turn
    /// of the event loop, except for an account without a server.
    func openUpstream(_ account: AccountID) {
        guard self.context != nil, let target = self.permissions.endpoints[account] else {
            return self.session.upstreamFailed(account, fault: .noCredential)
        }
        let connection = UpstreamConnection(
            account: account,
            user: self.session.authenticatedUser,
            client: self,
            upstream: self.gateway.upstream
        )
        self.upstreams[account] = connection
        if self.isSilent(account) { return connection.refuse(on: self.eventLoop) }
        connection.open(target, on: self.eventLoop)
        self.scheduleSweep()
    }

    /// Buffers octets for a server until the next flush.
    func write(_ octets: ByteBuffer, to account: AccountID) {
        self.upstreams[account]?.write(octets)
        self.flushLater(octets.readableBytes)
        self.scheduleSilenceCheck()
    }

    func flushUpstream() {
        for upstream in self.upstreams.values { upstream.flush() }
    }

    /// The session does not need this server any more. The journal request runs once the server has
    /// closed the connection.
    func leaveUpstream(_ account: AccountID, request: JournalRequest) {
        let (transfers, loop) = (self.gateway.transfers, self.eventLoop)
        guard let connection = self.upstreams.removeValue(forKey: account) else {
            return transfers.perform(request, on: loop) { _ in }
        }
        connection.leave { transfers.perform(request, on: loop) { _ in } }
    }

    // MARK: - From the servers

    /// The session learns the server's profile and the tags that the login has not used.
    func upstreamReady(_ account: AccountID, profile: UpstreamProfile, login: UpstreamLogin) {
        self.deliver {
            $0.upstreamReady(
                account,
                profile: profile,
                tags: login.remainingTags,
                identification: login.identification,
                isKnown: login.usesKnown
            )
        }
    }

    /// The connection is removed before the session learns of it, so the session can open a new
    /// one.
    func upstreamFailed(_ account: AccountID, fault: UpstreamFault) {
        self.upstreams[account] = nil
        let fault = self.awaitsOwner(account, fault: fault) ? .awaitsOwner : fault
        self.deliver { $0.upstreamFailed(account, fault: fault) }
    }

    /// Whether the next login of the account's owner gives the gateway the credential that is missing.
    private func awaitsOwner(_ account: AccountID, fault: UpstreamFault) -> Bool {
        switch fault {
        case .credentialRefused, .credentialSuspended, .noCredential:
            let owner = self.permissions.access.accounts[account]?.owner
            return owner != self.session.authenticatedUser
                && self.gateway.authenticator.sources.learns(account, in: self.permissions)
        case .unreachable, .serverUnanswering, .notTrusted, .protocolViolation, .noMailbox,
            .awaitsOwner:
            return false
        }
    }

    /// Octets of a server are judged by the permissions in force, like those of the client.
    func upstreamOctetsReceived(_ account: AccountID, octets: ByteBuffer) {
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.upstreamOctetsReceived(account, octets: octets, at: .current)
        self.perform()
        if self.session.read({ $0.isPassing }) { self.scheduleSilenceCheck() }
    }

    /// The connection is removed before the session learns of it.
    func upstreamClosed(_ account: AccountID) {
        self.upstreams[account] = nil
        self.deliver { $0.upstreamClosed(account) }
    }

    /// An account with another server or credential: the session leaves the old server, and its
    /// cached profile and lists are dropped.
    func upstreamsChanged(to permissions: StoreSnapshot) {
        for account in self.upstreams.keys
        where self.permissions.endpoints[account]?.server != permissions.endpoints[account]?.server
        {
            self.gateway.upstream.serverChanged(account)
            self.session.serverChanged(account)
        }
    }

    // MARK: - Back-pressure

    /// Back-pressure: a server is read while the client, and the server that its messages go to,
    /// take octets.
    func wantsOctets(from account: AccountID) -> Bool {
        guard self.isWritable, self.session.read({ $0.wantsOctets(from: account) }) else {
            return false
        }
        let destination = self.session.read { $0.transferDestination(from: account) }
        guard let destination else { return true }
        return self.upstreams[destination]?.isWritable ?? true
    }

    /// Back-pressure for APPEND: the client is read while the server that stores the message takes
    /// octets.
    var takesClientOctets: Bool {
        guard let destination = self.session.read({ $0.messageDestination }) else { return true }
        return self.upstreams[destination]?.isWritable ?? true
    }

    func resumeReadingUpstream() {
        for upstream in self.upstreams.values { upstream.resumeReading() }
    }

    /// The client takes octets again, which counts as activity during a transfer.
    func clientWritable() {
        // A client that takes octets slowly is not silent.
        if self.session.isTransferring { self.clock.touch(at: self.eventLoop.now) }
        // Servers are read again from now on, so their time begins again.
        if self.waitingLimit != nil { self.limitWaiting() }
    }
}
