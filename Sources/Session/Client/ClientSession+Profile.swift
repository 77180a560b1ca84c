package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// What an earlier connection learnt of a server, and what the server's lists say.
///
/// A server may be reconfigured at any time: another hierarchy delimiter, or another prefix of its
/// namespaces, gives each name another meaning.
extension ClientSession {
    /// A connection that was asked for is logged in.
    ///
    /// - Parameters:
    ///   - identification: the tag of an ID command that the login sent, and that is not answered yet.
    ///   - isKnown: whether the profile is what an earlier connection learnt.
    package mutating func upstreamReady(
        _ account: AccountID,
        profile: UpstreamProfile,
        tags: UpstreamTags,
        identification: ByteBuffer? = nil,
        isKnown: Bool = false
    ) {
        guard self.upstreams[account] != nil else { return }
        self.profiles[account] = profile
        self.upstreams[account]?.state = .ready
        self.upstreams[account]?.profile = profile
        self.upstreams[account]?.names = UpstreamNames(profile)
        self.upstreams[account]?.tags = tags
        self.upstreams[account]?.identification = identification
        self.upstreams[account]?.usesKnownProfile = isKnown
        self.upstreamBecameIdle(account)
        self.capabilitiesDiscovered(account)
        self.readClient()
    }

    /// Looks whether a server lists a folder with another delimiter than its profile says, or outside every
    /// namespace. The next login asks the server again. Where this connection has not learnt the profile
    /// itself, it is made again: at once where the delimiter is another one, or else before the next command.
    ///
    /// - Returns: whether the response means nothing any more.
    mutating func profileContradicted(by list: ListResponse, from account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account], upstream.contradicts(list) else {
            return false
        }
        if !upstream.isContradicted { self.actions.append(.forgetProfile(account)) }
        upstream.isContradicted = true
        let hasDelimiter = upstream.hasDelimiter(of: list)
        guard upstream.usesKnownProfile else {
            // Without one delimiter nobody knows which folder a scope reaches.
            return !hasDelimiter && !self.access(to: account).isOwner
        }
        if hasDelimiter, !self.isPreparing(account) {
            // A server may list what none of its namespaces has: no reason to close what is selected.
            guard self.selected?.account != account else { return false }
            upstream.isOutdated = true
            self.hasOutdatedServer = true
            return false
        }
        self.connectionEnded(account)
        return true
    }

    /// Whether a command waits for what this server tells.
    private func isPreparing(_ account: AccountID) -> Bool {
        guard case .preparing(_, account) = self.running else { return false }
        return self.selected?.account != account
    }
}

extension Upstream {
    fileprivate func contradicts(_ list: ListResponse) -> Bool {
        guard list.mailbox.readableBytes > 0 else { return false }
        switch self.names.place(of: list.mailbox) {
        case .personal: return !self.hasDelimiter(of: list)
        case .foreign: return false
        case .unknown: return true
        }
    }

    /// Whether a listed folder has the delimiter of the profile, or none: it is in no hierarchy then.
    fileprivate func hasDelimiter(of list: ListResponse) -> Bool {
        list.delimiter == nil || list.delimiter == self.profile.delimiter
    }
}
