package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The life cycle of connections to servers.
extension ClientSession {
    // MARK: - Connections

    /// A requested connection could not be established.
    package mutating func upstreamFailed(_ account: AccountID, fault: UpstreamFault) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        switch fault {
        case .noMailbox, .credentialRefused, .noCredential, .notTrusted:
            self.stop(account, answer: .contactAdministrator)
        case .awaitsOwner:
            self.stop(account, answer: .awaitsOwner)
        case .credentialSuspended:
            self.stop(account, answer: .credentialSuspended)
        case .serverUnanswering:
            self.stop(account, answer: .serverUnanswering)
        case .unreachable, .protocolViolation:
            self.stop(account, answer: .unavailable)
        }
        self.capabilitiesDiscovered(account)
        self.readClient()
    }

    /// A server has closed its connection.
    package mutating func upstreamClosed(_ account: AccountID) {
        self.readUpstreamToItsEnd(account)
        guard let upstream = self.upstreams[account] else { return }
        if upstream.isTokenOver { return self.connectionEnded(account) }
        self.upstreams[account] = nil
        self.upstreamLost(account)
        self.readClient()
    }

    /// The configuration of an account has changed: it has another server or another credential.
    /// What runs on the connection may end, and the next command gets a new connection. Called
    /// before `snapshotChanged`, which reads further commands, so that none of them goes to the old
    /// server.
    package mutating func serverChanged(_ account: AccountID) {
        guard let upstream = self.upstreams[account] else { return }
        upstream.isOutdated = true
        self.hasOutdatedServer = true
    }

    /// Closes connections to replaced servers on which nothing runs.
    mutating func leaveOutdatedServers() {
        switch self.running {
        case .nothing, .idling: break
        default: return
        }
        for (account, upstream) in self.upstreams where upstream.isOutdated {
            // A response that has been passed on in part must reach its end first.
            if self.passing != account { self.connectionEnded(account) }
        }
        self.hasOutdatedServer = self.upstreams.values.contains(where: \.isOutdated)
    }

    /// Closes connections without a command since the last call. Otherwise a client that lists all
    /// accounts once would keep a connection to each of them.
    package mutating func leaveUnusedServers() {
        switch self.running {
        case .nothing, .idling: break
        default: return
        }
        guard self.watching == nil else { return }
        for (account, upstream) in self.upstreams {
            let isUnused = upstream.isIdle && upstream.tags == upstream.tagsAtLastLook
            upstream.tagsAtLastLook = upstream.tags
            guard isUnused, self.selected?.account != account, self.passing != account else {
                continue
            }
            self.drop(account)
        }
    }

    /// A connection ended with its access token, or leads to a replaced server. If it has no
    /// selected mailbox, it is established again when it is needed. If it has one, the client's
    /// connection ends too and the client reconnects as after a timeout, because nothing proves
    /// that its message numbers are still valid.
    mutating func connectionEnded(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        if self.selected?.account == account { return self.end(.bye(.upstreamEnded)) }
        // The rest of the response will not arrive, and no other octets may be written into it.
        if self.passing == account { return self.end(nil) }
        // A command that changes nothing may be sent again. For any other, it is unknown whether
        // the server has executed it.
        if !self.isRepeating, let repeated = self.repeatable(on: account) {
            self.isRepeating = true
            self.running = .nothing
            self.dispatch(repeated.tag, command: repeated.command)
        } else {
            self.upstreamLost(account)
        }
        self.readClient()
    }

    /// The command that runs on an account's server, if it may be sent once more.
    private func repeatable(on account: AccountID) -> TaggedCommand? {
        switch self.running {
        case .forwarding(let forwarding) where forwarding.account == account:
            forwarding.tagged.traits.isRepeatable ? forwarding.tagged : nil
        case .selecting(let selecting) where selecting.account == account:
            selecting.tagged
        case .preparing(let tagged, account):
            // It was not sent to the server yet.
            tagged
        default:
            nil
        }
    }

    /// A server answers every command with an error that makes it unusable: it asks for a pause, or
    /// has no mailbox any more for the gateway's credential.
    mutating func serverFailed(_ account: AccountID, failure: UpstreamLogin.Failure) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.upstreamFailed(account, failure))
        var answer = ReplyText.contactAdministrator
        if case .throttled(let milliseconds) = failure {
            self.actions.append(.pauseUpstream(account, milliseconds: milliseconds))
            answer = .unavailable
        }
        self.actions.append(.closeUpstream(account))
        self.stop(account, answer: answer)
    }

    /// A server is idle. Waiting events and NOTIFY go first. Then a command that waited for this
    /// server is dispatched again, with every check.
    mutating func upstreamBecameIdle(_ account: AccountID) {
        if self.requestFoldersForNotifications(of: account) || self.synchronizeNotify(account) {
            return
        }
        switch self.running {
        case .preparing(let tagged, account):
            self.running = .nothing
            self.dispatch(tagged.tag, command: tagged.command)
        default:
            if !self.delivers(.ready, from: account) { _ = self.pollNext(account) }
        }
    }

    /// A connection was lost. What ran on it fails, and the session continues. If part of a
    /// response has been passed to the client, the client's connection is closed, because it cannot
    /// be resynchronized.
    mutating func upstreamLost(_ account: AccountID) {
        self.stop(account, answer: .unavailable)
    }

    /// A connection was closed because the user has lost the right to use it, or for the reason in
    /// `answer`.
    mutating func upstreamRevoked(_ account: AccountID, answer: ReplyText = .notPermitted) {
        self.stop(account, answer: answer)
    }

    /// Ends what runs on a closed connection.
    ///
    /// - Parameter answer: the answer to the command that ran there.
    private mutating func stop(_ account: AccountID, answer: ReplyText) {
        if self.passing == account { return self.end(nil) }
        if self.selected?.account == account {
            self.selected = nil
            self.emit(Reply.untagged(.closed))
        }
        switch self.running {
        case .preparing(let tagged, account):
            self.finish(tagged.tag, text: answer)
        case .discoveringCapabilities:
            self.capabilitiesDiscovered(account)
        case .notifying:
            break
        default:
            _ = self.delivers(.lost(answer: answer), from: account)
        }
        self.watchedUpstreamLost(account)
    }

    /// A server violated the protocol, and its connection is closed.
    mutating func upstreamViolated(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.upstreamFailed(account, .unexpectedResponse))
        self.actions.append(.closeUpstream(account))
        self.upstreamLost(account)
    }
}
