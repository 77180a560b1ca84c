import IMAP

import struct NIOCore.ByteBuffer

/// Texts of existing servers that carry a meaning for which the protocol has no response code, with the evidence.
enum Quirks {
    /// The longest back-off that the gateway obeys. Exchange Online asks for up to five minutes.
    private static let maximumBackoffMilliseconds = 300_000

    /// Whether Exchange ends a session because its access token has expired. Exchange sends `* BYE Session
    /// invalidated - AccessTokenExpired` during IDLE, or refuses the next command with this text (imapflow's
    /// change log; github.com/simonrob/email-oauth2-proxy). The server accepts the next login.
    static func isTokenOver(_ text: ByteBuffer) -> Bool {
        let line = String(buffer: text)
        return line.hasPrefix("Session invalidated") && line.contains("AccessTokenExpired")
    }

    /// Whether a response code that does not parse is a UIDVALIDITY. The value 0 does not count: a server without
    /// persistent UIDs may send it, although it is not a valid value (RFC 9051 §2.3.1.1).
    static func isUIDValidity(_ text: ByteBuffer) -> Bool {
        let line = String(buffer: text).uppercased()
        return line.hasPrefix("[UIDVALIDITY")
            && !line.dropFirst("[UIDVALIDITY".count).drop { $0 == " " }.hasPrefix("0]")
    }

    /// Whether a refusal without a code means that the mailbox is over quota. The texts come from the sources of
    /// Cyrus (`Over quota`), Courier (`You exceeded your mail quota.` after ALERT) and Dovecot before version 2
    /// (`Quota exceeded`).
    static func isOverQuota(_ words: RefusalText) -> Bool {
        let line = String(buffer: words.octets).lowercased()
        return ["over quota", "you exceeded your mail quota", "quota exceeded"]
            .contains(where: line.hasPrefix)
    }

    /// The login failure that a text of Exchange means; nil for any other text.
    ///
    /// Exchange accepts a valid token for any mailbox with `OK AUTHENTICATE completed.`. If the application has no
    /// right on the mailbox, it then answers each command with `BAD User is authenticated but not connected.`
    /// (github.com/jstedfast/MailKit issue 945, imapflow's change log).
    ///
    /// Exchange Online asks for a pause with `Request is throttled. Suggested Backoff Time: 92415
    /// milliseconds` (imapsync's FAQ on Office 365).
    ///
    /// Only the beginning of the text counts, because a server may quote the client's command later in it.
    static func failure(_ text: ByteBuffer) -> UpstreamLoginFailure? {
        let line = String(buffer: text).lowercased()
        if line.hasPrefix("user is authenticated but not connected") { return .noMailbox }
        guard line.hasPrefix("request is throttled") else { return nil }
        let mark = "suggested backoff time:"
        guard let place = line.firstRange(of: mark) else { return nil }
        let digits = line[place.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
        let milliseconds = Int(digits) ?? Self.maximumBackoffMilliseconds
        return .throttled(milliseconds: min(milliseconds, Self.maximumBackoffMilliseconds))
    }
}
