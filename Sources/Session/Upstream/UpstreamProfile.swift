package import IMAP

/// The properties of an IMAP server that it reported after a login. None of them is assumed.
package struct UpstreamProfile: Equatable, Sendable {
    /// Capabilities after login, in upper case.
    package var capabilities: Set<String>
    /// The hierarchy delimiter; nil on a server without hierarchy.
    package var delimiter: UInt8?
    /// Prefixes, in wire octets, of the personal namespaces (RFC 9051 §6.3.10).
    package var personalPrefixes: [[UInt8]]
    /// Prefixes, in wire octets, of the other-users and shared namespaces. These mailboxes belong to other people,
    /// so no grant on this account covers them.
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

    /// - Parameter capability: in upper case.
    package func has(_ capability: String) -> Bool {
        self.capabilities.contains(capability)
    }

    /// The form of literals for this server. LITERAL- is not used, because it would need a size check on each
    /// literal (RFC 7888 §5).
    package var literals: LiteralForm {
        self.has("LITERAL+") ? .nonSynchronizing : .synchronizing
    }
}

/// Return options of LIST.
extension UpstreamProfile {
    /// Whether LIST can return the MAILBOXID of each mailbox (RFC 8474 §4, RFC 5819).
    var hasListedIdentifiers: Bool {
        self.has("OBJECTID") && self.has("LIST-STATUS")
    }

    /// Writes the return options: special uses if the server supports them (RFC 6154 §2), and MAILBOXID on request.
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
