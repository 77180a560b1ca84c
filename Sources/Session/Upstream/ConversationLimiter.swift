import IMAP

package import struct NIOCore.ByteBuffer

/// Limits what a server may send in a ``ServerConversation``.
///
/// Each octet from the server restarts the silence timeout. Without these limits a server could keep an event loop
/// busy with responses that answer nothing, until the timeout of the whole conversation.
package struct ConversationLimiter {
    /// Octets of unsolicited responses in the whole conversation. FLAGS and PERMANENTFLAGS may each list thousands
    /// of keywords and reach the longest response that the gateway reads. The same amount again remains for all
    /// other responses.
    package static let maximumUnaskedOctets = 4 * ResponseCollector.maximumOctets
    /// Octets that a server may send after one command, without message bodies. This equals a session's limit for
    /// LIST, which has the longest answer.
    package static let maximumOctets = ListLimits.octetsOfServer

    private var unaskedOctets = 0
    /// Octets since the last command, without message bodies.
    private var octets = 0

    private let readsStatus: Bool

    /// - Parameter readsStatus: whether the conversation asks for STATUS responses.
    package init(readsStatus: Bool = false) {
        self.readsStatus = readsStatus
    }

    /// A command was sent: its answer gets the full ``maximumOctets``.
    package mutating func commandSent() {
        self.octets = 0
    }

    /// Counts octets that arrived.
    ///
    /// - Returns: false if the server has exceeded ``maximumOctets``.
    package mutating func takesOctets(_ count: Int) -> Bool {
        self.octets += count
        return self.octets <= Self.maximumOctets
    }

    /// Subtracts octets that belong to a message body.
    package mutating func messageOctetsTaken(_ count: Int) {
        self.octets = max(0, self.octets - count)
    }

    /// Counts a whole response if it is unsolicited.
    ///
    /// - Returns: false if the server has exceeded ``maximumUnaskedOctets``.
    package mutating func takes(_ response: ByteBuffer) -> Bool {
        guard self.isUnasked(response) else { return true }
        self.unaskedOctets += response.readableBytes
        return self.unaskedOctets <= Self.maximumUnaskedOctets
    }

    /// Whether no command of a conversation requests this kind of response.
    private func isUnasked(_ response: ByteBuffer) -> Bool {
        switch try? ResponseHead(response) {
        case .tagged, .continuation, .numbered(_, .fetch): false
        case .data(.list), .data(.search), .data(.esearch): false
        case .data(.status): !self.readsStatus
        case .data, .numbered, .status, .none: true
        }
    }
}
