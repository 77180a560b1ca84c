import IMAP

package import struct NIOCore.ByteBuffer

/// Bounds what a server may say in a conversation that no client leads.
///
/// Each octet of a server begins the time for its silence anew. Without these bounds a server could keep an event loop
/// busy, with responses that answer nothing, until the whole time of the conversation is over.
package struct ConversationLimiter {
    /// Octets of responses that the gateway did not ask for, in the whole conversation. FLAGS and the status with
    /// PERMANENTFLAGS, with thousands of keywords, may have the greatest length that is read; as much again is left
    /// for everything else.
    package static let maximumUnaskedOctets = 4 * ResponseCollector.maximumOctets
    /// Octets of everything that a server says after a command, without messages: as many as a session takes of
    /// a LIST, the longest answer that is asked for.
    package static let maximumOctets = ListLimits.octetsOfServer

    private var unaskedOctets = 0
    private var octets = 0

    private let readsStatus: Bool

    /// - Parameter readsStatus: whether the conversation asks for STATUS responses.
    package init(readsStatus: Bool = false) {
        self.readsStatus = readsStatus
    }

    /// The server may answer a command.
    package mutating func commandSent() {
        self.octets = 0
    }

    /// So many octets arrived, of whatever responses.
    /// - Returns: false where these are too many.
    package mutating func takesOctets(_ count: Int) -> Bool {
        self.octets += count
        return self.octets <= Self.maximumOctets
    }

    /// So many of the octets that arrived were of a message.
    package mutating func messageOctetsTaken(_ count: Int) {
        self.octets = max(0, self.octets - count)
    }

    /// - Returns: false where the server has said too much that the gateway did not ask for.
    package mutating func takes(_ response: ByteBuffer) -> Bool {
        guard self.isUnasked(response) else { return true }
        self.unaskedOctets += response.readableBytes
        return self.unaskedOctets <= Self.maximumUnaskedOctets
    }

    /// Whether no command of a conversation asks for a response like this one.
    private func isUnasked(_ response: ByteBuffer) -> Bool {
        switch try? ResponseHead(response) {
        case .tagged, .continuation, .numbered(_, .fetch): false
        case .data(.list), .data(.search), .data(.esearch): false
        case .data(.status): !self.readsStatus
        case .data, .numbered, .status, .none: true
        }
    }
}
