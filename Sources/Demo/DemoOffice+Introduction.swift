import Foundation

/// What the demo says: what to type next.
extension DemoOffice {
    /// Lines to copy to another terminal, each with what it shows.
    package var introduction: String {
        let authority = self.gateway.appendingPathComponent("certs/ca.pem").path
        let configuration = self.gateway.appendingPathComponent("gatepost.yaml").path
        let curl = "curl --cacert \(authority) -u \(Self.anna):\(Self.password(of: Self.anna))"
        let bobsCurl = "curl --cacert \(authority) -u \(Self.bob):\(Self.password(of: Self.bob))"
        let program = Bundle.main.executablePath ?? "gatepost"
        let url = "imaps://localhost:\(self.imaps)"
        return """

            Gatepost stands in front of two mail servers and a server for sending. Anna may see
            Bob's Akten and write on his behalf, and work in info@ and write as info@; nobody may
            see Clara's mailbox or write for her. Ctrl-C ends it and leaves nothing behind.

            What Anna sees:
              \(curl) '\(url)/'

            Anna reads a message in Bob's folder:
              \(curl) '\(url)/Other%20Users%2Fbob%40kanzlei.example%2FAkten/;UID=1'

            Anna tries Clara's mailbox, and is told that there is none:
              \(curl) '\(url)/Other%20Users%2Fclara%40kanzlei.example%2FINBOX/;UID=1'

            Anna writes as info@ to Bob; nothing shows that it was her:
              \(self.sending(curl, as: Self.info))

            Anna writes on Bob's behalf; the gateway adds who it was:
              \(self.sending(curl, as: Self.bob))

            Anna tries to write as Clara, and is refused:
              \(self.sending(curl, as: Self.clara))

            What arrived first in Bob's INBOX (Bob's own login):
              \(bobsCurl) '\(url)/INBOX;MAILINDEX=2'

            Why (in another terminal):
              export GATEPOST_CONFIG=\(configuration)
              \(program) explain \(Self.anna) \(Self.clara)
              \(program) explain \(Self.anna) \(Self.bob) --folder Akten

            Change it while it runs, and ask again:
              \(program) grant add \(Self.clara) \(Self.anna) --view --folder INBOX
              \(program) grant add \(Self.clara) \(Self.anna) --send as

            An Exchange account, \(Self.vertrieb): its server is the first Dovecot, and Microsoft's side
            is played by a test server on this machine. Load who may see it, look, save, and ask:
              \(program) permissions load \(Self.vertrieb)
              \(program) permissions save
              \(curl) '\(url)/Shared%2Fvertrieb%40kanzlei.example%2FINBOX/;UID=1'
            Take it from Anna, whatever Exchange says, and give it back:
              \(program) grant remove \(Self.vertrieb) \(Self.anna)
              \(program) grant restore \(Self.vertrieb) \(Self.anna)

            A mail client: IMAP server localhost, port \(self.imaps), SSL/TLS (port \(self.imap) with STARTTLS),
            SMTP server localhost, port \(self.submissions), SSL/TLS (port \(self.submission) with STARTTLS);
            user name \(Self.anna), password \(Self.password(of: Self.anna)); trust \(authority).
            Bob's password is \(Self.password(of: Self.bob)), Clara's \(Self.password(of: Self.clara)).
            """
    }

    /// A line that sends a short message to Bob.
    func sending(_ curl: String, as sender: String) -> String {
        let header = "From: \(sender)\\r\\nTo: \(Self.bob)\\r\\nSubject: Termin\\r\\n"
        return """
            printf '\(header)\\r\\nGern.\\r\\n' | \(curl) -T - --mail-from \(sender) \
            --mail-rcpt \(Self.bob) smtps://localhost:\(self.submissions)
            """
    }
}
