/// The right to send from an account; a stronger right includes the weaker ones.
package enum SendRight: Int, Comparable, Hashable, Sendable {
    /// The user may not send from it.
    case none
    /// The message's `Sender` field names the user (RFC 5322 §3.6.2).
    case onBehalf
    /// No field of the message names the user.
    case `as`

    package static func < (one: SendRight, other: SendRight) -> Bool {
        one.rawValue < other.rawValue
    }
}
