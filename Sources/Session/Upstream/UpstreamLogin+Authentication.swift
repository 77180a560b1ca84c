import IMAP
import SASL

import struct NIOCore.ByteBuffer

/// ID (RFC 2971), then AUTHENTICATE or LOGIN (RFC 9051 §6.2.2, §6.2.3).
extension UpstreamLogin {
    /// Sends ID if the server offers it (RFC 2971). Some providers open no mailbox for a client that does not send
    /// it. The command is pipelined with the next one, so it costs no round trip.
    mutating func identify(to capabilities: Set<String>) -> [Action] {
        guard capabilities.contains("ID") else { return [] }
        let tag = self.tags.next()
        self.identification = tag
        var line = tag
        line.writeStaticString(" ID (\"name\" \"Gatepost\" \"vendor\" \"Gatepost\")\r\n")
        return [.send(line)]
    }

    /// The server completed ID. Only a text that means a login failure has an effect (``Quirks``).
    mutating func identified(_ text: ByteBuffer) -> [Action] {
        self.identification = nil
        if let failure = Quirks.failure(text) { return self.fail(failure) }
        return self.state == .awaitingIdentification ? self.learned() : []
    }

    /// Sends AUTHENTICATE with the credential's mechanism. If the server does not offer the mechanism, sends LOGIN,
    /// which needs a password and must not be disabled.
    mutating func authenticate() -> [Action] {
        if self.capabilities.contains("AUTH=\(self.credential.mechanism)") {
            let hasInitialResponse = self.capabilities.contains("SASL-IR")
            self.state = hasInitialResponse ? .authenticating : .awaitingChallenge
            self.tag = self.tags.next()
            var line = self.tag
            line.writeString(" AUTHENTICATE \(self.credential.mechanism)")
            if hasInitialResponse {
                line.writeStaticString(" ")
                line.writeBytes(self.credential.message)
            }
            line.writeStaticString("\r\n")
            return [.send(line)]
        }
        guard !self.capabilities.contains("LOGINDISABLED"),
            let password = self.credential.password
        else { return self.fail(.noMechanism) }
        return self.login(password)
    }

    /// Sends LOGIN, for servers without SASL. Both strings are quoted: the store admits no control octets in them.
    /// A literal, which 8-bit strings formally require, would need a continuation request.
    private mutating func login(_ password: [UInt8]) -> [Action] {
        self.state = .authenticating
        self.tag = self.tags.next()
        var encoder = CommandEncoder(tag: self.tag, literals: .nonSynchronizing)
        encoder.write(word: "LOGIN")
        encoder.write(quoted: self.credential.username)
        encoder.write(quoted: password)
        return encoder.finish().map(Action.send)
    }

    /// The server sent a continuation request: for the SASL message, or with the reason why it refuses a token.
    mutating func challengeReceived() -> [Action] {
        switch self.state {
        case .awaitingChallenge:
            self.state = .authenticating
            return [.send(ByteBuffer(bytes: self.credential.message + [0x0D, 0x0A]))]
        case .authenticating where self.credential.password == nil && !self.isRefusalRead:
            // A server may send the reason for refusing a token as a challenge; the client answers with an empty line.
            self.isRefusalRead = true
            return [.send(ByteBuffer(staticString: "\r\n"))]
        default:
            return self.fail(.unexpectedResponse)
        }
    }

    /// The server accepted the credential. Uses the known profile, or learns the profile.
    mutating func loggedIn(_ text: ByteBuffer) -> [Action] {
        // The server may accept a token that gives no access to this mailbox. Only a further command shows that,
        // so after a token login the profile is always learnt again.
        if let known = self.known, self.credential.password != nil {
            self.state = .finished
            self.usesKnown = true
            return self.identify(to: known.capabilities) + [.ready(known)]
        }
        self.capabilities = []
        self.recordCapabilities(from: text)
        if self.capabilities.isEmpty {
            return self.ask("CAPABILITY", then: .awaitingFinalCapabilities)
        }
        return self.askNamespaces()
    }
}
