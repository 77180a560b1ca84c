import Foundation
import Testing

@testable import gatepost

/// Runs the mail programs with the settings of their pages, and checks that each one shows the shared folder.
extension DocumentationTests {
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"
    private static let folder = "Other Users/\(Self.bob)/Akten"
    /// The passwords are typed, so that the settings need none.
    private static let password = "server-\(Self.anna)"
    private static let clients = DocumentedBlock.repository
        .appendingPathComponent("Tests/IntegrationTests/Clients").path

    /// A block of settings, for a gateway at `localhost` with the ports of the installation.
    private static func settings(
        of page: String,
        _ index: Int,
        replacing substitutions: KeyValuePairs<String, String>
    ) throws -> String {
        let block = try DocumentedBlock.all(in: page)[index]
        return try substitutions.reduce(block.text) { text, substitution in
            guard text.contains(substitution.key) else {
                throw Failure("\(page): a block has lost \(substitution.key)")
            }
            return text.replacingOccurrences(of: substitution.key, with: substitution.value)
        }
    }

    @Test func `mbsync and msmtp work with the settings of their page`() throws {
        let installation = try DocumentedInstallation()
        try installation.takeFirstSteps()
        let password = ("pass kanzlei", "echo \(Self.password)")
        let receiving = try Self.settings(
            of: "Mbsync",
            0,
            replacing: [
                "gate.kanzlei.example": "localhost\nCertificateFile /etc/gatepost/certs/ca.pem",
                "993": installation.port("IMAPS"), password.0: password.1,
            ]
        )
        let sending = try Self.settings(
            of: "Mbsync",
            1,
            replacing: [
                "gate.kanzlei.example": "localhost\ntls_trust_file /etc/gatepost/certs/ca.pem",
                "465": installation.port("SUBMISSIONS"), password.0: password.1,
            ]
        )
        let output = try installation.run(
            """
            mkdir -p ~/Mail/anna
            cat >~/.mbsyncrc <<'END'
            \(receiving)
            END
            mbsync --all
            grep --recursive '^Subject: Akten' ~/Mail/anna/'\(Self.folder)'
            cat >~/.msmtprc <<'END'
            \(sending)
            END
            printf 'From: \(Self.bob)\\nTo: \(Self.anna)\\nSubject: Test\\n\\nText.\\n' |
                msmtp --account=anna --from=\(Self.bob) \(Self.anna)
            """
        )
        #expect(output.contains("Subject: Akten"))
        try Self.checkMessageFromBob(installation)
    }

    @Test func `mutt works with the settings of its page`() throws {
        let installation = try DocumentedInstallation()
        try installation.takeFirstSteps()
        let login = "anna%40kanzlei.example@"
        let servers = try Self.settings(
            of: "Mutt",
            0,
            replacing: [
                "imaps://\(login)gate.kanzlei.example":
                    "imaps://\(login)localhost:\(installation.port("IMAPS"))",
                "smtps://\(login)gate.kanzlei.example":
                    "smtps://\(login)localhost:\(installation.port("SUBMISSIONS"))",
            ]
        )
        let output = try installation.run(
            """
            cat >~/.muttrc <<'END'
            \(servers)
            \(try Self.settings(of: "Mutt", 1, replacing: [:]))
            set ssl_ca_certificates_file = "/etc/gatepost/certs/ca.pem"
            END
            PYTHONPATH='\(Self.clients)' python3 - <<'END'
            from terminal import Terminal

            reading = 'set wait_key=no; push "<pipe-message>cat >~/message<enter><exit>"'
            t = Terminal("mutt", "-f", "+\(Self.folder)", "-e", reading)
            t.wait_for("Password for")
            t.type("\(Self.password)\\r")
            assert t.end() == 0, t.shown

            writing = "set editor=true abort_unmodified=no from=\(Self.bob)"
            t = Terminal("mutt", "-e", writing, "-s", "Test", "\(Self.anna)")
            for prompt, answer in (
                ("To: ", "\\r"), ("Subject: ", "\\r"), ("y:Send", "y"),
                # For sending, then for the copy in Sent.
                ("Password for", "\(Self.password)\\r"), ("Password for", "\(Self.password)\\r"),
            ):
                t.wait_for(prompt)
                t.clear()
                t.type(answer)
            assert t.end() == 0, t.shown
            END
            cat ~/message
            """
        )
        #expect(output.contains("Subject: Akten"))
        try Self.checkMessageFromBob(installation)
        let copy = try installation.message("Sent", of: Self.anna, number: 1)
        #expect(copy.contains("Subject: Test"))
    }

    @Test func `OfflineIMAP works with the settings of its page`() throws {
        let installation = try DocumentedInstallation()
        try installation.takeFirstSteps()
        let settings = try Self.settings(
            of: "OfflineIMAP",
            0,
            replacing: [
                "gate.kanzlei.example": "localhost\nremoteport = \(installation.port("IMAPS"))",
                "/etc/ssl/certs/ca-certificates.crt": "/etc/gatepost/certs/ca.pem",
            ]
        )
        let output = try installation.run(
            """
            cat >~/.offlineimaprc <<'END'
            \(settings)
            END
            PYTHONPATH='\(Self.clients)' python3 - <<'END'
            from terminal import Terminal

            # The second run finds what the first one made.
            for _ in range(2):
                t = Terminal("offlineimap")
                t.wait_for("Enter password")
                t.type("\(Self.password)\\r")
                assert t.end() == 0, t.shown
            END
            grep --recursive '^Subject: Akten' ~/Mail/anna/'\(Self.folder)'
            """
        )
        #expect(output.contains("Subject: Akten"))
        #expect(output.contains("Subject: Akten/Meyer"))
    }

    @Test func `Roundcube works with the settings of its page`() throws {
        let installation = try DocumentedInstallation()
        try installation.takeFirstSteps()
        // The message that is there gets its number before others arrive.
        _ = try installation.message("INBOX", of: Self.anna, number: 1)
        let settings = try Self.settings(
            of: "Roundcube",
            0,
            replacing: [
                "gate.kanzlei.example:993": "localhost:\(installation.port("IMAPS"))",
                "gate.kanzlei.example:465": "localhost:\(installation.port("SUBMISSIONS"))",
            ]
        )
        // The rest of the configuration is what Roundcube's installer writes.
        let output = try installation.run(
            """
            mkdir ~/roundcube
            cp /var/lib/roundcube/config/{defaults.inc,mimetypes}.php ~/roundcube/
            cat >~/roundcube/config.inc.php <<END
            <?php
            \\$home = '$HOME/roundcube';
            END
            cat >>~/roundcube/config.inc.php <<'END'
            \(settings)
            $authority = ['ssl' => ['cafile' => '/etc/gatepost/certs/ca.pem']];
            $config['imap_conn_options'] = $config['smtp_conn_options'] = $authority;
            $config['db_dsnw'] = "sqlite:///$home/store?mode=0600";
            $config['log_dir'] = $config['temp_dir'] = $home;
            $config['des_key'] = 'twenty-four octets here.';
            END
            ROUNDCUBE_CONFIG_DIR=~/roundcube php '\(Self.clients)/roundcube.php' \
                \(Self.anna) \(Self.password) '\(Self.folder)' \(Self.bob)
            """
        )
        #expect(output.contains("subscribed: \(Self.folder)\n"))
        #expect(output.contains("Subject: Akten\n"))
        try Self.checkMessageFromBob(installation)
    }

    /// Checks the message that Anna sent to herself on Bob's behalf.
    private static func checkMessageFromBob(_ installation: DocumentedInstallation) throws {
        let message = try installation.message("INBOX", of: self.anna, number: 2)
        #expect(message.contains("Sender: \"Anna\" <\(self.anna)>\r\n"), "\(message)")
    }
}

extension DocumentedInstallation {
    /// A port of the gateway.
    fileprivate func port(_ name: String) -> String {
        self.environment[name] ?? ""
    }
}
