import Foundation
import Gateway
import Store
import Support
import SwiftASN1
import Testing
import X509

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

    private static func names(_ host: String) throws -> (names: String, chain: [Certificate]) {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("certs")
        try DevelopmentCertificates(host: host).write(to: url)
        let chain = try ["server.pem", "ca.pem"].map { name in
            try Certificate(
                pemEncoded: String(
                    contentsOf: url.appendingPathComponent(name),
                    encoding: .utf8
                )
            )
        }
        let extensions = try #require(try chain[0].extensions.subjectAlternativeNames)
        return (extensions.map { "\($0)" }.joined(separator: " "), chain)
    }

    @Test(arguments: ["mail.example", "192.0.2.7", "::1", "localhost", "127.0.0.1"])
    func `a certificate is for the host and for this machine`(host: String) throws {
        let (names, _) = try Self.names(host)
        #expect(names.contains("localhost"))
        if host.contains("example") { #expect(names.contains("mail.example")) }
        #expect(names.components(separatedBy: "localhost").count == 2, "\(names)")
    }

    @Test func `the server's certificate is the authority's, valid now and for no other use`()
        throws
    {
        let (_, chain) = try Self.names("mail.example")
        let (server, authority) = (chain[0], chain[1])
        #expect(server.issuer == authority.subject && authority.issuer == authority.subject)
        #expect(server.publicKey != authority.publicKey)
        #expect(authority.publicKey.isValidSignature(server.signature, for: server))
        for certificate in chain {
            #expect(certificate.notValidBefore < Date())
            #expect(certificate.notValidAfter > Date().addingTimeInterval(800 * 86_400))
        }
        let isAuthority = try chain.map { try $0.extensions.basicConstraints }
        #expect(isAuthority[0] == .notCertificateAuthority)
        #expect(isAuthority[1] == .isCertificateAuthority(maxPathLength: 0))
        #expect(server.serialNumber != authority.serialNumber)
    }

    @Test func `two installations have keys of their own`() throws {
        let (one, other) = (try Self.names("a.example"), try Self.names("a.example"))
        #expect(one.chain[0].publicKey != other.chain[0].publicKey)
        #expect(one.chain[1].publicKey != other.chain[1].publicKey)
    }
}
