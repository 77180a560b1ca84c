package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What servers send, and what becomes of it.
extension ClientSession {
    // MARK: - Connections

    /// A connection that was asked for cannot be had.
    package mutating func upstreamFailed(_ account: AccountID, fault: UpstreamFault) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        switch fault {
        case .noMailbox, .credentialRefused, .noCredential, .notTrusted:
            self.stop(account, answer: .contactAdministrator)
        case .credentialSuspended:
            self.stop(account, answer: .credentialSuspended)
        case .serverUnanswering:
            self.stop(account, answer: .serverUnanswering)
        case .unreachable, .protocolViolation, .lost:
            self.stop(account, answer: .unavailable)
        }
        self.capabilitiesDiscovered(account)
        self.readClient()
    }

    /// A connection ended without being asked to.
    package mutating func upstreamClosed(_ account: AccountID) {
        self.readUpstreamToItsEnd(account)
        guard let upstream = self.upstreams[account] else { return }
        if upstream.isTokenOver { return self.connectionEnded(account) }
        self.upstreams[account] = nil
        self.upstreamLost(account)
        self.readClient()
    }

    /// An account's server, or what the gateway logs in with there, is another one now: what runs on
    /// the connection is brought to its end, and what comes next gets a new one. Told before `snapshotChanged`, which
    /// reads on: nothing more goes to the old one then.
    package mutating func serverChanged(_ account: AccountID) {
        guard let upstream = self.upstreams[account] else { return }
        upstream.isOutdated = true
        self.hasOutdatedServer = true
    }

    /// Ends connections to servers that are others now, where nothing runs on them.
    mutating func leaveOutdatedServers() {
        switch self.running {
        case .nothing, .idling: break
        default: return
        }
        for (account, upstream) in self.upstreams where upstream.isOutdated {
            // A response that has passed in part passes to its end.
            if self.passing != account { self.connectionEnded(account) }
        }
        self.hasOutdatedServer = self.upstreams.values.contains(where: \.isOutdated)
    }

    /// Ends connections by which nothing was asked since this was called last: a client that lists all
    /// accounts once does not keep a connection to each.
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

    /// A connection ended with its token, or is to a server that is another one now. One that holds no
    /// mailbox open is made again when it is needed; the client that has its mailbox open there
    /// connects again, as after any time-out, because nothing proves that the numbers it knows
    /// messages by are still theirs.
    mutating func connectionEnded(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        if self.selected?.account == account { return self.end(.bye(.upstreamEnded)) }
        // The rest of its response does not come, and nothing else can be said.
        if self.passing == account { return self.end(nil) }
        // What changes nothing may be asked again; whether the rest was done, nobody knows.
        if !self.isRepeating, let repeated = self.repeatable(on: account) {
            self.isRepeating = true
            self.running = .nothing
            self.dispatch(repeated.tag, command: repeated.command)
        } else {
            self.upstreamLost(account)
        }
        self.readClient()
    }

    /// The command that runs on an account's server, if it may be given once more.
    private func repeatable(on account: AccountID) -> TaggedCommand? {
        switch self.running {
        case .forwarding(let forwarding) where forwarding.account == account:
            forwarding.tagged.traits.isRepeatable ? forwarding.tagged : nil
        case .selecting(let selecting) where selecting.account == account:
            selecting.tagged
        case .preparing(let tagged, account):
            // It has not been given to the server yet.
            tagged
        default:
            nil
        }
    }

    /// A server answers each command by saying that it cannot be used: it wants to be left alone, or
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

    /// A command that waited for this server is dispatched anew, with every check.
    mutating func upstreamBecameIdle(_ account: AccountID) {
        if self.requestFoldersForNews(of: account) || self.bringInStep(account) { return }
        switch self.running {
        case .preparing(let tagged, account):
            self.running = .nothing
            self.dispatch(tagged.tag, command: tagged.command)
        default:
            if !self.delivers(.ready, from: account) { _ = self.pollNext(account) }
        }
    }

    /// What ran on a lost connection fails; the rest of the session goes on. Where a part of a
    /// response has passed to the client already, its connection cannot be brought back into step.
    mutating func upstreamLost(_ account: AccountID) {
        self.stop(account, answer: .unavailable)
    }

    /// A connection was dropped, because the user may no longer use it or for the reason given.
    mutating func upstreamRevoked(_ account: AccountID, answer: ReplyText = .notPermitted) {
        self.stop(account, answer: answer)
    }

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

    /// A server broke the protocol: its connection is dropped.
    mutating func upstreamViolated(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.upstreamFailed(account, .unexpectedResponse))
        self.actions.append(.closeUpstream(account))
        self.upstreamLost(account)
    }
}
