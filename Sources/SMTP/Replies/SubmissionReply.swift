package import struct NIOCore.ByteBuffer

/// All replies that the gateway itself sends to a client (RFC 5321 §4.2, RFC 3463).
///
/// A text contains the remedy if there is one. It repeats nothing that a client or a server sent.
package enum SubmissionReply: Equatable, Sendable {
    case greeting
    case hello([String])
    case bye
    case ok
    case beginTLS
    /// An empty challenge: the client's message follows.
    case challenge
    /// The challenge of AUTH LOGIN for the user name; the one for the password follows.
    case nameChallenge
    case passwordChallenge
    /// The challenge that says why a token was refused, in base64 (RFC 7628 §3.2.2).
    case tokenChallenge([UInt8])
    case authenticated
    case canceled
    case senderAccepted
    case recipientAccepted
    case startMessage
    case chunkReceived
    case cannotVerify
    /// A mail server's own reply.
    case upstream(ServerReply)
    // 4xx
    case unavailable
    /// The connection to the server broke between the end of the message and the reply.
    case unconfirmed
    case upstreamUnreachable
    case upstreamRefusedLogin
    /// A mail server refused the stored credential; the gateway does not try it at present.
    case credentialSuspended
    /// A mail server recently closed logins without an answer.
    case serverUnanswering
    case authenticationUnavailable
    case tooManyConnectionsOfUser
    case noRoomForCopy
    case tooManyRecipients
    case tooManyMessages
    case tooManyRecipientsPerHour
    case closing
    case tooManyConnections
    case endedByAdministrator
    case loginEnded
    case tooManyErrors
    case loginTooLong
    case idleTooLong
    // 5xx
    case unknownCommand
    case lineTooLong
    case malformedArguments
    case unserved
    case badSequence
    case noSender
    case noRecipients
    case mustStartTLS
    case mustAuthenticate
    case alreadyAuthenticated
    case unknownMechanism
    case malformedBase64
    case authenticationFailed
    case malformedPath
    case unknownParameter
    case noDSN
    case noInternational
    case noEightBit
    case tooLarge
    case bareLineEnd
    case unfinishedLine
    case headerTooLarge
    case malformedHeader
    case missingFrom
    case repeatedField(String)
    /// A field that names an author, and its problem.
    case malformedAddress(String, AddressFault)
    case noSendingServer
    case notPermitted(Refused)

    /// The rule by which the user may not send the message (RFC 6409 §6.1, §6.3).
    package enum Refused: Equatable, Sendable {
        case reversePath
        case from
        case sender
        case senderRequired
        case resent
        case noRoute
        case noOwnAddress
    }

    /// The reply on the wire.
    package var encoded: ByteBuffer {
        switch self {
        case .hello(let extensions): return Self.lines(250, texts: ["Gatepost"] + extensions)
        case .tokenChallenge(let text):
            return ByteBuffer(bytes: Array("334 ".utf8) + text + [0x0D, 0x0A])
        case .upstream(let reply): return Self.lines(reply.code, texts: reply.lines)
        case .repeatedField(let name):
            return Self.lines(
                550,
                texts: ["5.6.0 The header has more than one \(Self.shown(name)) field"]
            )
        case .malformedAddress(let name, let fault):
            return Self.lines(550, texts: ["5.6.0 The \(Self.shown(name)) field \(fault.text)"])
        default:
            var line = ByteBuffer()
            line.writeStaticString(self.fixed)
            line.writeStaticString("\r\n")
            return line
        }
    }

    private static func lines(_ code: Int, texts: [String]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (index, text) in texts.enumerated() {
            buffer.writeString(String(code))
            buffer.writeStaticString(index == texts.count - 1 ? " " : "-")
            buffer.writeString(text)
            buffer.writeStaticString("\r\n")
        }
        return buffer
    }

    /// The name of a field in its usual case. The names are from the gateway's own list.
    private static func shown(_ name: String) -> String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined(separator: "-")
    }
}
