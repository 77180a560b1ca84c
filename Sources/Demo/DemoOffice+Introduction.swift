import Foundation

/// The text that `gatepost demo` prints: what to type next.
extension DemoOffice {
    /// Commands to copy to another terminal, each with its purpose.
    package var introduction: String {
        let authority = self.gateway.appendingPathComponent("certs/ca.pem").path
        let configuration = self.gateway.appendingPathComponent("gatepost.yaml").path
        let curl = "curl --cacert \(authority) -u \(Self.anna):\(Self.password(of: Self.anna))"
        let bobsCurl = "curl --cacert \(authority) -u \(Self.bob):\(Self.password(of: Self.bob))"
        let program = Bundle.main.executablePath ?? "gatepost"
        let url = "imaps://localhost:\(self.imaps)"
        return """

            Gatepost runs in front of two IMAP servers and a submission server. Anna may read Bob's
            folder Akten and send on his behalf. She may also edit info@ and send as info@. No other
            user may see Clara's mailbox or send from it. Ctrl-C ends the demo and removes its files.

            List the folders that Anna sees:
              \(curl) '\(url)/'

            Read a message in Bob's folder as Anna:
              \(curl) '\(url)/Other%20Users%2Fbob%40kanzlei.example%2FAkten/;UID=1'

            Try Clara's mailbox as Anna; the gateway answers that it does not exist:
              \(curl) '\(url)/Other%20Users%2Fclara%40kanzlei.example%2FINBOX/;UID=1'

            Send as info@ to Bob; no field of the message names Anna:
              \(self.sending(curl, as: Self.info))

            Send on Bob's behalf; the gateway adds Anna as Sender:
              \(self.sending(curl, as: Self.bob))

            Try to send as Clara; the gateway refuses it:
              \(self.sending(curl, as: Self.clara))

            Read the first of these messages in Bob's INBOX, with Bob's login:
              \(bobsCurl) '\(url)/INBOX;MAILINDEX=2'

            Show the reasons, in another terminal:
              export GATEPOST_CONFIG=\(configuration)
              \(program) explain \(Self.anna) \(Self.clara)
              \(program) explain \(Self.anna) \(Self.bob) --folder Akten

            Change the permissions of the running gateway, and repeat the commands:
              \(program) grant add \(Self.clara) \(Self.anna) --view --folder INBOX
              \(program) grant add \(Self.clara) \(Self.anna) --send as

            \(Self.vertrieb) is an Exchange account. A test server on this machine plays Microsoft's
            part, and the mailbox is on the first Dovecot. Load, save and use its permissions:
              \(program) permissions load \(Self.vertrieb)
              \(program) permissions save
              \(curl) '\(url)/Shared%2Fvertrieb%40kanzlei.example%2FINBOX/;UID=1'
            Withdraw Anna's rights, regardless of Exchange, and restore them:
              \(program) grant remove \(Self.vertrieb) \(Self.anna)
              \(program) grant restore \(Self.vertrieb) \(Self.anna)

            Settings of a mail program: IMAP server localhost, port \(self.imaps) with SSL/TLS or port
            \(self.imap) with STARTTLS; SMTP server localhost, port \(self.submissions) with SSL/TLS or port
            \(self.submission) with STARTTLS; user name \(Self.anna), password
            \(Self.password(of: Self.anna)); trusted authority \(authority).
            Bob's password is \(Self.password(of: Self.bob)), Clara's \(Self.password(of: Self.clara)).
            """
    }

    /// A shell command that sends a short message to Bob.
    func sending(_ curl: String, as sender: String) -> String {
        let header = "From: \(sender)\\r\\nTo: \(Self.bob)\\r\\nSubject: Termin\\r\\n"
        return """
            printf '\(header)\\r\\nGern.\\r\\n' | \(curl) -T - --mail-from \(sender) \
            --mail-rcpt \(Self.bob) smtps://localhost:\(self.submissions)
            """
    }
}
