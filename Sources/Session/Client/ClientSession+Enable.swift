import Access
import IMAP

/// What a client enables is enabled on every connection to a server, for the whole session (RFC
/// 5161 §3.1, RFC 7162 §3.1). A new connection gets it before the client's next command there.
extension ClientSession {
    /// Sends ENABLE with the capabilities that the client enabled and the server offers, and that
    /// are not enabled on this connection yet.
    ///
    /// - Parameter tagged: the client's command that follows; it may enable CONDSTORE by itself.
    /// - Returns: whether ENABLE was sent; then no other command can be sent now.
    mutating func enable(in account: AccountID, for tagged: TaggedCommand?) -> Bool {
        guard !self.enabled.isEmpty, let upstream = self.upstreams[account],
            upstream.profile.has("ENABLE")
        else { return false }
        var missing = self.enabled.subtracting(upstream.enabled)
        if missing == ["CONDSTORE"], tagged?.traits.enablesModSeqs ?? false { missing = [] }
        missing = missing.filter { self.has($0, in: account) }
        guard !missing.isEmpty else { return false }
        upstream.enabled.formUnion(missing)
        upstream.housekeeping = .upkeep
        var encoder = self.encoder(for: account)
        encoder.write(word: "ENABLE")
        for capability in missing.sorted() { encoder.write(atom: Array(capability.utf8)) }
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
        return true
    }

    /// Whether SELECT has to enable CONDSTORE because the server lacks ENABLE (RFC 7162 §3.1.8).
    func enablesModSeqsBySelect(in account: AccountID) -> Bool {
        guard let upstream = self.upstreams[account], self.enabled.contains("CONDSTORE") else {
            return false
        }
        return !upstream.enabled.contains("CONDSTORE") && self.has("CONDSTORE", in: account)
    }
}
