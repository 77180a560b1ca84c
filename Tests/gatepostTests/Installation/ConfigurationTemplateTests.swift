import ArgumentParser
import Cryptography
import Foundation
import Gateway
import Store
import Support
import Testing

@testable import gatepost

/// What `init` writes: a gateway could be started with it at once, and nothing is overwritten.
@Suite struct ConfigurationTemplateTests {
    private static func write(
        _ folder: TemporaryFolder,
        host: String = "127.0.0.1",
        _ change: (inout ConfigurationTemplate) -> Void = { _ in }
    ) throws -> ConfigurationTemplate {
        var template = ConfigurationTemplate(folder: folder.path("office"), host: host)
        change(&template)
        try template.write()
        return template
    }

    @Test func `the files are there, for their owner alone`() throws {
        let folder = try TemporaryFolder()
        let template = try Self.write(folder)
        #expect(template.file == folder.path("office/gatepost.yaml"))
        let names = folder.names(in: "office")
        #expect(
            Set(names).isSuperset(of: ["certs", "gatepost.sqlite", "gatepost.yaml", "master.key"])
        )
        #expect(folder.names(in: "office/certs") == ["ca.pem", "server.key", "server.pem"])
        for (name, mode) in [
            ("office", 0o700), ("office/master.key", 0o600), ("office/gatepost.sqlite", 0o600),
            ("office/certs/server.key", 0o600), ("office/certs/server.pem", 0o644),
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(name))
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode, "\(name)")
        }
    }

    @Test func `the configuration is read back as it was meant`() async throws {
        let folder = try TemporaryFolder()
        let template = try Self.write(folder) {
            $0.imaps = 1_993
            $0.imap = 0
            $0.submissions = 1_465
            $0.submission = 1_587
        }
        let configuration = try await GatewayConfiguration(
            file: template.file,
            readsEnvironment: false
        )
        #expect(
            configuration.listeners == [
                Listener(kind: .imaps, address: "127.0.0.1", port: 1_993),
                Listener(kind: .submissions, address: "127.0.0.1", port: 1_465),
                Listener(kind: .submission, address: "127.0.0.1", port: 1_587),
            ]
        )
        #expect(configuration.store == folder.path("office/gatepost.sqlite"))
        #expect(configuration.oversight.audit == .required)
        #expect(configuration.oversight.auditDays == nil && configuration.oversight.consent == .off)
        #expect(configuration.subscribesShared && configuration.exchange == nil)
        #expect(!configuration.keepsLogins)
        #expect(configuration.logLevel == "info" && configuration.runAs == nil)
        // What is written for limits is what counts without them.
        let limits = GatewayConfiguration.Limits()
        #expect(configuration.limits.connectionsPerAddress == limits.connectionsPerAddress)
        #expect(configuration.limits.connectionsPerUser == limits.connectionsPerUser)
        #expect(configuration.limits.loginTimeout == limits.loginTimeout)
        #expect(configuration.limits.idleTimeout == limits.idleTimeout)
        #expect(configuration.limits.upstreamTimeout == limits.upstreamTimeout)
        #expect(configuration.limits.drainTime == limits.drainTime)
        #expect(configuration.limits.settleTime == limits.settleTime)
        #expect(configuration.limits.messageMebibytes == limits.messageMebibytes)
        #expect(configuration.limits.messageTime == limits.messageTime)
    }

    @Test(arguments: ["::1", "2001:db8::7", "mail.example", "0.0.0.0"])
    func `an address of any kind is one that a listener has`(host: String) async throws {
        let folder = try TemporaryFolder()
        let template = try Self.write(folder, host: host)
        let configuration = try await GatewayConfiguration(
            file: template.file,
            readsEnvironment: false
        )
        #expect(configuration.listeners.allSatisfy { $0.address == host })
        #expect(configuration.listeners.map(\.port) == [993, 143, 465, 587])
    }

    // MARK: - Who checks passwords

    /// The options as a command line has them.
    private static func source(
        _ line: String,
        ask: ((String) -> String?)? = nil
    ) throws -> SourceSettings {
        try SourceOptions.parse(line.split(separator: " ").map(String.init)).settings(ask: ask)
    }

    @Test func `without a terminal and without an option the gateway checks passwords`() throws {
        #expect(try Self.source("") == .gateway)
    }

    /// Answers in order, and what they choose.
    @Test(arguments: [
        ([""], "upstream"), (["1"], "upstream"), (["4"], "gateway"), (["gateway"], "gateway"),
        (["2", "ldaps://dc.test", "dc=x", "cn=g,dc=x"], "ldap"),
        (["3", "https://issuer.test", "mail"], "oauth"),
    ])
    func `the answers of a terminal choose the source`(
        answers: [String],
        source: String
    ) async throws {
        var answers = answers[...]
        let settings = try Self.source("") { _ in answers.popFirst() }
        #expect(answers.isEmpty)
        let folder = try TemporaryFolder()
        let template = try Self.write(folder) { $0.source = settings }
        if source == "ldap" { _ = try folder.write("secret", as: "office/ldap.secret") }
        chmod(folder.path("office/ldap.secret"), 0o600)
        let read = try await GatewayConfiguration(file: template.file, readsEnvironment: false)
        #expect(read.authentication.sources.map(\.rawValue) == [source])
        #expect(read.authentication.learns == (source == "upstream"))
        #expect((read.authentication.directory != nil) == (source == "ldap"))
        #expect(read.authentication.issuers.count == (source == "oauth" ? 1 : 0))
    }

    @Test func `a value cannot end its text in the file`() async throws {
        let folder = try TemporaryFolder()
        let base = "ou=\"a\\b\"\\, c: [d],dc=x"
        let directory = SourceSettings.Directory(
            server: "ldaps://dc.test",
            base: base,
            account: "cn=\"#{g}"
        )
        let template = try Self.write(folder) { $0.source = .ldap(directory) }
        _ = try folder.write("secret", as: "office/ldap.secret")
        chmod(folder.path("office/ldap.secret"), 0o600)
        let read = try await GatewayConfiguration(file: template.file, readsEnvironment: false)
        guard case .search(let search)? = read.authentication.directory?.lookup else {
            Issue.record("the directory is not searched")
            return
        }
        #expect(search.base == base && search.account.name == directory.account)
    }

    /// Options and answers, and what is said of them.
    @Test(arguments: [
        ("--source ldap", [], "--ldap-server is missing"),
        ("--ldap-server ldaps://x.test --ldap-base dc=x", [], "--ldap-account is missing"),
        ("--ldap-server x.test", [], "write ldaps://HOST"),
        ("--issuer http://x.test --audience m", [], "write its https URL"),
        ("--issuer https://x.test", ["a b"], "has no spaces"),
        ("", ["5"], "answer 1 to 4"), ("", ["-1"], "answer 1 to 4"), ("", [], "no answer"),
        ("--source ldap", ["ldaps://x.test", ""], "--ldap-base is missing"),
        ("--source ldap", ["ldaps://x.test", "dc=\u{7}"], "control character"),
    ])
    func `an unusable choice is refused with a remedy`(
        line: String,
        answers: [String],
        message: String
    ) {
        var rest = answers[...]
        let ask: ((String) -> String?)? =
            line.isEmpty || !answers.isEmpty ? { _ in rest.popFirst() } : nil
        let error = #expect(throws: Failure.self) { _ = try Self.source(line, ask: ask) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `the store and its key belong together, and its log is sealed`() throws {
        let folder = try TemporaryFolder()
        _ = try Self.write(folder)
        let masterKey = try MasterKey(file: folder.path("office/master.key"))
        let store = try PermissionStore(
            path: folder.path("office/gatepost.sqlite"),
            creates: false
        )
        #expect(try store.users().isEmpty && store.accounts().isEmpty)
        #expect(try store.verifyAudit(masterKey).problems == [])
        #expect(try store.verifyAudit(MasterKey()).problems != [])
    }

    @Test(arguments: ["gatepost.yaml", "gatepost.sqlite", "master.key", "certs"])
    func `what is there is not overwritten`(name: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("office"),
            withIntermediateDirectories: true
        )
        let path = try folder.write("mine", as: "office/\(name)")
        let error = #expect(throws: Failure.self) { _ = try Self.write(folder) }
        #expect(
            error?.description == "\(path) exists: init never overwrites; choose another folder"
        )
        #expect(folder.names(in: "office") == [name])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }

    // MARK: - Certificates

    /// The certificates that `init` writes for a host, as the program `openssl` shows them.
    private struct Certificates {
        let folder: TemporaryFolder
        let server: String
        let authority: String

        init(_ host: String) throws {
            self.folder = try TemporaryFolder()
            try DevelopmentCertificates(host: host)
                .write(to: self.folder.url.appendingPathComponent("certs"))
            let texts = try ["server.pem", "ca.pem"].map { [folder = self.folder] name in
                try Self.openssl(["x509", "-noout", "-text", "-in", folder.path("certs/\(name)")])
            }
            (self.server, self.authority) = (texts[0], texts[1])
        }

        func certificate(_ name: String) throws -> Certificate {
            try Certificate(
                pem: String(contentsOfFile: self.folder.path("certs/\(name)"), encoding: .utf8)
            )
        }

        /// What `openssl verify` says of the server's certificate for a host name or an address.
        func verification(_ option: String, _ name: String) throws -> String {
            try Self.openssl([
                "verify", "-x509_strict", "-purpose", "sslserver", option, name, "-CAfile",
                self.folder.path("certs/ca.pem"), self.folder.path("certs/server.pem"),
            ])
        }

        private static func openssl(_ arguments: [String]) throws -> String {
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let octets = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: octets, as: UTF8.self)
        }
    }

    @Test(
        arguments: [
            ("mail.example", "-verify_hostname"), ("192.0.2.7", "-verify_ip"),
            ("2001:db8::7", "-verify_ip"), ("::1", "-verify_ip"), ("127.0.0.1", "-verify_ip"),
            ("localhost", "-verify_hostname"),
        ]
    )
    func `a certificate is for the host and for this machine`(host: String, option: String) throws {
        let certificates = try Certificates(host)
        for (option, name) in [
            (option, host), ("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1"),
            ("-verify_ip", "::1"),
        ] {
            #expect(try certificates.verification(option, name).hasSuffix("server.pem: OK\n"))
        }
        let other = try certificates.verification("-verify_hostname", "other.example")
        #expect(other.contains("hostname mismatch"))
        #expect(certificates.server.components(separatedBy: "DNS:localhost").count == 2)
    }

    @Test func `the server's certificate is the authority's, valid now and for no other use`()
        throws
    {
        let certificates = try Certificates("mail.example")
        #expect(certificates.server.contains("CA:FALSE"))
        #expect(certificates.server.contains("TLS Web Server Authentication"))
        #expect(certificates.authority.contains("CA:TRUE, pathlen:0"))
        for name in ["server.pem", "ca.pem"] {
            let end = try certificates.certificate(name).notAfter
            #expect(end > Int64(Date().timeIntervalSince1970) + 800 * 86_400)
        }
    }

    @Test func `two installations have certificates of their own`() throws {
        let (one, other) = (try Certificates("a.example"), try Certificates("a.example"))
        for name in ["server.pem", "ca.pem"] {
            #expect(try one.certificate(name) != other.certificate(name))
        }
    }
}
