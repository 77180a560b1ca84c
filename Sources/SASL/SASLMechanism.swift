/// A SASL mechanism that the gateway knows; the raw value is its registered name (RFC 4422 §3.1).
package enum SASLMechanism: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Login and password in one message (RFC 4616).
    case plain = "PLAIN"
    /// Login and password as answers to two challenges (draft-murchison-sasl-login-00).
    case login = "LOGIN"
    /// Login and OAuth access token in one message.
    case xoauth2 = "XOAUTH2"

    /// Finds the mechanism of a name, ASCII case folded.
    package init?(name: some Sequence<UInt8>) {
        // Folding as Unicode does would take letters outside ASCII for letters of a name.
        let folded = name.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }
        guard let found = Self.allCases.first(where: { folded.elementsEqual($0.rawValue.utf8) })
        else { return nil }
        self = found
    }

    package var description: String { self.rawValue }
}
