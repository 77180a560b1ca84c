import IMAP

import struct NIOCore.ByteBuffer

/// What servers in use say where the protocol has no word for it, each with its evidence.
enum Quirks {
    /// Honoured up to this; Exchange Online names up to five minutes.
    private static let maximumBackoffMilliseconds = 300_000

    /// Exchange ends a session whose token has ended, with `* BYE Session invalidated -
    /// AccessTokenExpired` during IDLE, or by refusing the next command so (imapflow's change log;
    /// github.com/simonrob/email-oauth2-proxy). The server is well, and takes the next login.
    static func isTokenOver(_ text: ByteBuffer) -> Bool {
        let line = String(buffer: text)
        return line.hasPrefix("Session invalidated") && line.contains("AccessTokenExpired")
    }

    /// Whether a status response, whose code cannot be read, was to tell UIDVALIDITY. A server without
    /// lasting UIDs may say so with 0, which is no value (RFC 9051 §2.3.1.1).
    static func isUIDValidity(_ text: ByteBuffer) -> Bool {
        let line = String(buffer: text).uppercased()
        return line.hasPrefix("[UIDVALIDITY")
            && !line.dropFirst("[UIDVALIDITY".count).drop { $0 == " " }.hasPrefix("0]")
    }

    /// A full mailbox in the words of servers that tell no code for it: Cyrus (`Over quota`), Courier (`You
    /// exceeded your mail quota.` behind ALERT) and Dovecot before version 2 (`Quota exceeded`), in their
    /// sources' texts of errors.
    static func isOverQuota(_ words: ServerWords) -> Bool {
        let line = String(buffer: words.octets).lowercased()
        return ["over quota", "you exceeded your mail quota", "quota exceeded"]
            .contains(where: line.hasPrefix)
    }

    /// Exchange takes a good token for any mailbox, answers `OK AUTHENTICATE completed.`, and then
    /// each command with `BAD User is authenticated but not connected.` when the application has
    /// no right on it (github.com/jstedfast/MailKit issue 945, imapflow's change log).
    ///
    /// Exchange Online asks for a pause with `Request is throttled. Suggested Backoff Time: 92415
    /// milliseconds` (imapsync's FAQ on Office 365).
    ///
    /// Each line from its start: what a server repeats of a command stands further on.
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
