/// The authorization identity of a connection (RFC 4513 §5.2.1.8).
package enum DirectoryIdentity: Equatable, Sendable {
    /// Nobody: the bind did not authenticate.
    case anonymous
    /// A distinguished name: `dn:uid=anna,ou=people,dc=kanzlei,dc=example`.
    case name(String)
    /// A user name of the server's own form: `u:KANZLEI\anna`, as Active Directory answers.
    case user(String)

    /// ```
    /// authzId = "" / "dn:" distinguishedName / "u:" userid
    /// ```
    init?(_ octets: [UInt8]) {
        guard !octets.contains(0), let text = String(validating: octets, as: UTF8.self) else {
            return nil
        }
        if text.isEmpty || text == "dn:" {
            self = .anonymous
        } else if text.hasPrefix("dn:") {
            self = .name(String(text.dropFirst(3)))
        } else if text.hasPrefix("u:") {
            self = .user(String(text.dropFirst(2)))
        } else {
            return nil
        }
    }
}
