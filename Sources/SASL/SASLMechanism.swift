/// A SASL mechanism that the gateway implements; the raw value is its registered name
/// (RFC 4422 §3.1).
package enum SASLMechanism: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Login and password in one message (RFC 4616).
    case plain = "PLAIN"
    /// Login and password as answers to two challenges (draft-murchison-sasl-login-00 §2).
    case login = "LOGIN"
    /// OAuth access token in one message (RFC 7628).
    case oauthBearer = "OAUTHBEARER"
    /// User name and OAuth access token in one message (Microsoft and Google).
    case xoauth2 = "XOAUTH2"

    /// Finds a mechanism by its name; ASCII letters match in either case.
    package init?(name: some Sequence<UInt8>) {
        // Unicode case folding would match letters outside ASCII.
        let folded = name.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }
        guard let found = Self.allCases.first(where: { folded.elementsEqual($0.rawValue.utf8) })
        else { return nil }
        self = found
    }

    package var description: String { self.rawValue }
}
