package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// The profile of a server: what an earlier connection found out, compared with what the server
/// lists now.
///
/// A server may be reconfigured at any time. Another hierarchy delimiter or another namespace
/// prefix gives every name another meaning.
extension ClientSession {
    /// A requested connection is logged in.
    ///
    /// - Parameters:
    ///   - identification: the tag of an ID command that the login sent and that is not answered
    ///     yet.
    ///   - isKnown: whether the profile comes from an earlier connection.
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

    /// Checks whether a server lists a folder with another delimiter than its profile, or outside
    /// of every namespace. If so, the next login asks the server again. If this connection uses the
    /// profile of an earlier one, it is replaced: at once if the delimiter differs, otherwise
    /// before the next command.
    ///
    /// - Returns: whether the response has no meaning any more and has to be ignored.
    mutating func profileContradicted(by list: ListResponse, from account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account], upstream.contradicts(list) else {
            return false
        }
        if !upstream.isContradicted { self.actions.append(.forgetProfile(account)) }
        upstream.isContradicted = true
        let hasDelimiter = upstream.hasDelimiter(of: list)
        guard upstream.usesKnownProfile else {
            // Without one delimiter, it is unclear which folder the scope of a grant covers.
            return !hasDelimiter && !self.access(to: account).isOwner
        }
        if hasDelimiter, !self.isPreparing(account) {
            // A server may list names outside of its namespaces. That is no reason to close the
            // selected mailbox.
            guard self.selected?.account != account else { return false }
            upstream.isOutdated = true
            self.hasOutdatedServer = true
            return false
        }
        self.connectionEnded(account)
        return true
    }

    /// Whether a command waits for this server, and no mailbox is selected there.
    private func isPreparing(_ account: AccountID) -> Bool {
        guard case .preparing(_, account) = self.running else { return false }
        return self.selected?.account != account
    }
}

extension Upstream {
    /// Whether a listed name contradicts the profile.
    fileprivate func contradicts(_ list: ListResponse) -> Bool {
        guard list.mailbox.readableBytes > 0 else { return false }
        switch self.names.namespace(of: list.mailbox) {
        case .personal: return !self.hasDelimiter(of: list)
        case .foreign: return false
        case .unknown: return true
        }
    }

    /// Whether a listed folder has the delimiter of the profile, or none because it is in no
    /// hierarchy.
    fileprivate func hasDelimiter(of list: ListResponse) -> Bool {
        list.delimiter == nil || list.delimiter == self.profile.delimiter
    }
}
