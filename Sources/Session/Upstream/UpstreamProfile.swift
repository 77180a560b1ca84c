package import IMAP

/// What a server said about itself after a login: learnt, never assumed.
package struct UpstreamProfile: Equatable, Sendable {
    /// Capabilities after login, in upper case.
    package var capabilities: Set<String>
    /// The hierarchy delimiter; nil on a server without hierarchy.
    package var delimiter: UInt8?
    /// Prefixes, in wire octets, of the personal namespaces (RFC 9051 §6.3.10).
    package var personalPrefixes: [[UInt8]]
    /// Prefixes of what the server itself shares: other people's mailboxes behind the owner's
    /// login, which no grant on this account reaches.
    package var foreignPrefixes: [[UInt8]]

    package init(
        capabilities: Set<String>,
        delimiter: UInt8?,
        personalPrefixes: [[UInt8]] = [[]],
        foreignPrefixes: [[UInt8]] = []
    ) {
        self.capabilities = capabilities
        self.delimiter = delimiter
        self.personalPrefixes = personalPrefixes
        self.foreignPrefixes = foreignPrefixes
    }

    package func has(_ capability: String) -> Bool {
        self.capabilities.contains(capability)
    }

    /// How literals go to this server: LITERAL- would need a size check on each, so it counts as
    /// none (RFC 7888 §5).
    package var literals: LiteralForm {
        self.has("LITERAL+") ? .nonSynchronizing : .synchronizing
    }
}

/// What LIST is asked for.
extension UpstreamProfile {
    /// Whether LIST tells the identifier of each mailbox (RFC 8474 §4, RFC 5819).
    var hasListedIdentifiers: Bool {
        self.has("OBJECTID") && self.has("LIST-STATUS")
    }

    /// Asks for special uses (RFC 6154 §2), where the server knows them, and for identifiers.
    func writeListOptions(identifiers: Bool, into encoder: inout CommandEncoder) {
        let hasUses = self.has("LIST-EXTENDED") && self.has("SPECIAL-USE")
        switch (hasUses, identifiers) {
        case (true, true): encoder.write(word: "RETURN (SPECIAL-USE STATUS (MAILBOXID))")
        case (true, false): encoder.write(word: "RETURN (SPECIAL-USE)")
        case (false, true): encoder.write(word: "RETURN (STATUS (MAILBOXID))")
        case (false, false): break
        }
    }
}
