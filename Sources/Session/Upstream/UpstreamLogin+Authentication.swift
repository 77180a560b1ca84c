import IMAP
import SASL

import struct NIOCore.ByteBuffer

/// ID (RFC 2971), then AUTHENTICATE or LOGIN (RFC 9051 §6.2.2, §6.2.3).
extension UpstreamLogin {
    /// Tells the server who logs in, if it offers to hear it (RFC 2971): some providers open no mailbox for a
    /// client that does not. The command goes out together with the next one and costs no round trip.
    mutating func identify(to capabilities: Set<String>) -> [Action] {
        guard capabilities.contains("ID") else { return [] }
        let tag = self.tags.next()
        self.identification = tag
        var line = tag
        line.writeStaticString(" ID (\"name\" \"Gatepost\" \"vendor\" \"Gatepost\")\r\n")
        return [.send(line)]
    }

    /// The server answered ID; what it says changes nothing.
    mutating func identified(_ text: ByteBuffer) -> [Action] {
        self.identification = nil
        if let failure = Quirks.failure(text) { return self.fail(failure) }
        return self.state == .awaitingIdentification ? self.learned() : []
    }

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

    /// LOGIN, for servers without SASL. Strings go quoted: the store keeps no control octets in
    /// them, and eight-bit ones would need a literal, which needs a continuation.
    private mutating func login(_ password: [UInt8]) -> [Action] {
        self.state = .authenticating
        self.tag = self.tags.next()
        var encoder = CommandEncoder(tag: self.tag, literals: .nonSynchronizing)
        encoder.write(word: "LOGIN")
        encoder.write(quoted: self.credential.username)
        encoder.write(quoted: password)
        return encoder.finish().map(Action.send)
    }

    mutating func challengeReceived() -> [Action] {
        switch self.state {
        case .awaitingChallenge:
            self.state = .authenticating
            return [.send(ByteBuffer(bytes: self.credential.message + [0x0D, 0x0A]))]
        case .authenticating where self.credential.password == nil && !self.isRefusalRead:
            // Why a token was refused may come as a challenge, which wants an empty answer.
            self.isRefusalRead = true
            return [.send(ByteBuffer(staticString: "\r\n"))]
        default:
            return self.fail(.unexpectedResponse)
        }
    }

    mutating func loggedIn(_ text: ByteBuffer) -> [Action] {
        // A token may be good for the server, and not for this mailbox; only a further command
        // shows that, so that what is known already is asked again.
        if let known = self.known, self.credential.password != nil {
            self.state = .finished
            self.usesKnown = true
            return self.identify(to: known.capabilities) + [.ready(known)]
        }
        self.capabilities = []
        self.learn(from: text)
        if self.capabilities.isEmpty {
            return self.ask("CAPABILITY", then: .awaitingFinalCapabilities)
        }
        return self.askNamespaces()
    }
}
