import Access
import SASL
import SMTP

import struct NIOCore.ByteBuffer

/// Dispatch of the commands, with the state that each of them needs (RFC 6409, RFC 5321 §4.1.4).
extension SubmissionSession {
    /// Executes a command that needs no login, or passes it on.
    mutating func dispatch(_ command: SubmissionCommand) {
        switch command {
        case .ehlo: self.hello(self.extensions)
        case .helo: self.hello([])
        case .quit: self.end(.bye)
        case .noop: self.reply(.ok)
        case .rset: self.reset()
        case .startTLS: self.startTLS()
        case .auth(let mechanism, let response): self.auth(mechanism, initial: response?.value)
        case .mail, .rcpt, .data, .bdat, .vrfy, .unserved: self.dispatchAfterLogin(command)
        }
    }

    /// Executes a command that needs TLS and a login.
    private mutating func dispatchAfterLogin(_ command: SubmissionCommand) {
        guard self.hasTLS, self.user != nil else {
            // The client sends the octets of a chunk without waiting for the reply (RFC 3030 §2).
            if case .bdat = command { return self.end(.mustAuthenticate) }
            return self.refuse(self.hasTLS ? .mustAuthenticate : .mustStartTLS)
        }
        switch command {
        case .mail(let mail): self.mail(mail)
        case .rcpt(let recipient): self.rcpt(recipient)
        case .data: self.data()
        case .bdat(let count, let isLast): self.bdat(count, isLast: isLast)
        case .vrfy: self.reply(.cannotVerify)
        default: self.refuse(.unserved)
        }
    }

    /// Executes EHLO or HELO, which end a transaction as RSET does (RFC 5321 §4.1.4).
    ///
    /// - Parameter extensions: the lines after the greeting; none for HELO.
    private mutating func hello(_ extensions: [String]) {
        self.hasGreeted = true
        self.abandonTransaction()
        self.reply(.hello(extensions))
    }

    /// The extensions in the answer to EHLO. Before TLS, only STARTTLS is offered (RFC 8314 §4.1).
    private var extensions: [String] {
        guard self.hasTLS else { return ["STARTTLS"] }
        return [
            "PIPELINING", "SIZE \(self.settings.maximumMessageOctets)", "8BITMIME", "SMTPUTF8",
            "ENHANCEDSTATUSCODES", "DSN", "CHUNKING",
            (["AUTH"] + self.settings.methods.submissionMechanisms.map(\.rawValue))
                .joined(separator: " "),
            "LIMITS RCPTMAX=\(self.counter.limits.recipientsPerMessage)",
        ]
    }

    /// Starts TLS. Commands that were pipelined after STARTTLS end the connection: they could have been injected
    /// before the handshake (RFC 3207 §4.2).
    private mutating func startTLS() {
        guard !self.hasTLS, self.hasGreeted else { return self.refuse(.badSequence) }
        guard self.input.readableBytes == 0 else { return self.end(nil) }
        self.reply(.beginTLS)
        self.running = .negotiatingTLS
        self.actions.append(.startTLS)
    }
}
