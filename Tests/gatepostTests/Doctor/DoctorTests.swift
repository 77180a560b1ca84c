import Access
import Foundation
import Gateway
import Store
import Support
import Testing

@testable import gatepost

/// What `doctor` finds, each with its remedy.
@Suite struct DoctorTests {
    private static func configuration(_ bench: CommandBench) async throws -> GatewayConfiguration {
        try await GatewayConfiguration(file: bench.file, readsEnvironment: false)
    }

    @Test func `a log that is whole is well, with its count and its mode`() async throws {
        let bench = try await CommandBench.furnished()
        let configuration = try await Self.configuration(bench)
        let findings = try DoctorCommand.checkOversight(
            bench.store(),
            configuration: configuration
        )
        let count = try bench.store().auditEntries().count
        #expect(findings.map(\.subject) == ["audit log", "messages for owners"])
        #expect(findings.map(\.state) == ["ok (\(count) records, required)", "ok"])
        #expect(findings.allSatisfy { $0.remedy == nil })
    }

    @Test func `a log without its key cannot be checked`() async throws {
        let bench = try await CommandBench.furnished()
        let configuration = try await Self.configuration(bench)
        try FileManager.default.removeItem(atPath: configuration.masterKey)
        let findings = try DoctorCommand.checkOversight(
            bench.store(),
            configuration: configuration
        )
        #expect(findings[0].state == "failed")
        #expect(
            findings[0].remedy
                == "the seal cannot be checked without the master key: repair masterKey"
        )
    }

    @Test func `a log that another key sealed is not whole, with what to do`() async throws {
        let bench = try await CommandBench.furnished()
        let configuration = try await Self.configuration(bench)
        try FileManager.default.removeItem(atPath: configuration.masterKey)
        try MasterKey().write(to: configuration.masterKey)
        let findings = try DoctorCommand.checkOversight(
            bench.store(),
            configuration: configuration
        )
        #expect(findings[0].state == "failed")
        #expect(findings[0].remedy?.hasSuffix(": see gatepost audit verify") == true)
    }

    @Test func `the gateway's user must be able to read a key, and nobody else`() throws {
        let folder = try TemporaryFolder()
        let key = folder.path("server.key")
        #expect(
            DoctorCommand.remedy(ofKey: key, user: "root") == "missing: correct tls.keys"
        )
        let manager = FileManager.default
        #expect(
            manager.createFile(atPath: key, contents: nil, attributes: [.posixPermissions: 0o600])
        )
        #expect(DoctorCommand.remedy(ofKey: key, user: "root") == nil)
        #expect(DoctorCommand.remedy(ofKey: key, user: NSUserName()) == nil)
        #expect(
            DoctorCommand.remedy(ofKey: key, user: "gatepost")
                == "the gateway's user cannot read it: chown gatepost \(key)"
        )
        try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        #expect(DoctorCommand.remedy(ofKey: key, user: NSUserName()) == "chmod 600 \(key)")
    }

    @Test func `copies that were left are named for up to three mailboxes`() async throws {
        let bench = try await CommandBench.furnished()
        #expect(try DoctorCommand.checkCopiesLeft(bench.store()).state == "ok")
    }

    @Test func `a gateway that does not run is said to be started by serve`() async throws {
        let bench = try await CommandBench.furnished()
        let finding = await DoctorCommand.checkGateway(
            try bench.store(),
            configuration: try await Self.configuration(bench)
        )
        #expect(finding.subject == "running gateway" && finding.state == "not running")
        #expect(finding.remedy == "gatepost serve")
    }

    @Test func `a mail server that cannot be reached fails under its name`() async throws {
        let bench = try CommandBench()
        let password = try bench.folder.write("x", as: "password")
        try await bench.run(
            "account add a@kanzlei.example --kind imap --imap localhost:1 --tls none "
                + "--password-file \(password)"
        )
        var findings: [DoctorCommand.Finding] = []
        try await DoctorCommand.checkServers(
            bench.store(),
            configuration: try await Self.configuration(bench),
            findings: &findings
        )
        #expect(findings.map(\.subject) == ["a@kanzlei.example at localhost:1"])
        #expect(findings.map(\.state) == ["failed"])
        #expect(findings.first?.remedy?.isEmpty == false)
    }

    @Test func `a whole look says failed where anything is, and lists all of it`() async throws {
        let bench = try CommandBench()
        try await bench.run("doctor")
        try await bench.run("doctor --json")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644],
            ofItemAtPath: bench.folder.path("office/certs/server.key")
        )
        let said = await bench.refusal(of: "doctor")
        #expect(said == "a check failed: see the remedies of the lines with failed")
    }

    /// What is broken in an installation.
    @Test(arguments: [
        "office/certs/server.pem", "office/certs/server.key", "office/master.key",
        "office/gatepost.sqlite",
    ])
    func `a file that is missing fails, and the look goes on`(name: String) async throws {
        let bench = try CommandBench()
        try FileManager.default.removeItem(atPath: bench.folder.path(name))
        let said = await bench.refusal(of: "doctor --json")
        #expect(said.contains("a check failed: see the remedies"), "\(name): \(said)")
    }

    @Test func `a finding is three values, and no remedy is none`() throws {
        let text = try Output.document([
            DoctorCommand.Finding(subject: "a", state: "ok"),
            DoctorCommand.Finding(subject: "b", state: "failed", remedy: "do it"),
        ])
        let rows = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: String]]
        )
        #expect(
            rows == [
                ["subject": "a", "state": "ok"],
                ["subject": "b", "state": "failed", "remedy": "do it"],
            ]
        )
    }
}

/// Paths that may be used for somebody who came by sudo.
@Suite struct TrustedPathTests {
    private static let isRoot = geteuid() == 0

    /// What is said of a path; nil where it is trusted.
    private static func refusal(_ path: String, _ rule: TrustedPath = .configuration) -> String? {
        do {
            try rule.require(path)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `a path is followed from the top`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", as: "gatepost.yaml", mode: 0o644)
        if Self.isRoot {
            #expect(Self.refusal(path) == nil)
            #expect(try TrustedPath.configuration.require(path) == path)
        } else {
            #expect(Self.refusal(path)?.contains("does not belong to root") == true)
        }
    }

    @Test(arguments: [0o664, 0o646, 0o666, 0o777])
    func `a file that others can write is not used`(mode: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", as: "gatepost.yaml", mode: mode)
        let said = try #require(Self.refusal(path))
        if Self.isRoot {
            #expect(
                said.contains("others can change \(path): by sudo, chmod go-w \(path)"),
                "\(said)"
            )
        }
    }

    @Test(arguments: [0o777, 0o1777, 0o770])
    func `nor is one in a folder that others can write`(mode: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", as: "gatepost.yaml", mode: 0o644)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode],
            ofItemAtPath: folder.url.path
        )
        let said = try #require(Self.refusal(path))
        if Self.isRoot { #expect(said.contains("others can change \(folder.url.path)")) }
    }

    @Test func `a link is named, and what it leads to is what can be said instead`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", as: "real.yaml", mode: 0o644)
        let link = folder.path("gatepost.yaml")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        guard Self.isRoot else { return }
        #expect(Self.refusal(link)?.contains("by sudo, use --config \(path)") == true)
        // Certificates may be links, held to the same rule.
        #expect(Self.refusal(link, .certificates) == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        #expect(Self.refusal(link, .certificates)?.contains("others can change") == true)
    }

    @Test(arguments: ["missing.yaml", "missing/gatepost.yaml"])
    func `a file that is missing is refused where it has to be there`(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(Self.refusal(folder.path(name)) != nil)
        guard Self.isRoot else { return }
        #expect((Self.refusal(folder.path(name), .certificates) == nil) == !name.contains("/"))
    }

    @Test(arguments: ["/dev/null", "/proc/self/environ", "/tmp"])
    func `what is no file of a disk is not used`(path: String) {
        #expect(Self.refusal(path) != nil)
    }

    @Test func `a file of a disk is a regular one, and no link`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", as: "a")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("b"),
            withDestinationPath: path
        )
        #expect(RegularFile.isThere(at: path))
        for other in [
            folder.path("b"), folder.url.path, "/dev/null", "/proc/self/status", "/nowhere",
        ] {
            #expect(!RegularFile.isThere(at: other), "\(other)")
        }
    }
}
