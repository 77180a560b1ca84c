import Exchange
import Foundation
import Support
import Testing

@testable import Gateway

/// The part `exchange` of `gatepost.yaml`: the gateway's application, and how it proves who it is.
@Suite struct ExchangeConfigurationTests {
    private static let tenant = "11111111-2222-3333-4444-555555555555"
    private static let base = """
        listen:
          imaps: "127.0.0.1:993"
        tls:
          certificates: ["a.pem"]
          keys: ["a.key"]
        store: a.sqlite
        masterKey: master.key

        """

    /// - Parameter keys: of the part, with their values; `secretFile` and the application are there if nil.
    private static func read(
        _ keys: [String: String],
        in folder: TemporaryFolder
    ) async throws -> EntraApplication? {
        let lines = keys.sorted { $0.key < $1.key }.map { "  \($0): \($1)" }
        let file = try folder.write(
            self.base + (lines.isEmpty ? "" : "exchange:\n" + lines.joined(separator: "\n")) + "\n",
            as: "gatepost.yaml"
        )
        return try await GatewayConfiguration(file: file, readsEnvironment: false).exchange
    }

    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(" s3cret \n", as: "secret")
        return folder
    }

    private static let complete = [
        "tenant": tenant, "application": "00000000-1111-2222-3333-444444444444",
        "secretFile": "secret",
    ]

    private static func complaint(
        _ change: [String: String],
        without key: String? = nil,
        in folder: TemporaryFolder? = nil
    ) async throws -> String {
        var keys = self.complete.merging(change) { $1 }
        if let key { keys[key] = nil }
        do {
            _ = try await self.read(keys, in: try folder ?? Self.folder())
            Issue.record("accepted: \(keys)")
            return ""
        } catch let error as ConfigurationError {
            return error.description
        }
    }

    @Test func `without the part exchange, or without a tenant, there is no application`()
        async throws
    {
        #expect(try await Self.read([:], in: Self.folder()) == nil)
        #expect(try await Self.read(["tenant": "\"\""], in: Self.folder()) == nil)
    }

    @Test func `an application has its ids, its secret, and the worldwide cloud`() async throws {
        let application = try #require(try await Self.read(Self.complete, in: Self.folder()))
        #expect(application.tenant == Self.tenant)
        #expect(application.clientID == "00000000-1111-2222-3333-444444444444")
        #expect(application.cloud == .worldwide)
        guard case .secret("s3cret") = application.proof else {
            Issue.record("another proof")
            return
        }
    }

    @Test func `an application without its id is an error that names the key`() async throws {
        let complaint = try await Self.complaint([:], without: "application")
        #expect(complaint.contains("exchange.application: "), "\(complaint)")
        #expect(complaint.contains("id is needed"))
    }

    @Test(arguments: ["tenant", "application"], ["\"a/b\"", "\"a b\"", "\"a?b\"", "\"..\\\\x\""])
    func `ids contain only characters that a URL part may have`(
        key: String,
        value: String
    ) async throws {
        let complaint = try await Self.complaint([key: value])
        #expect(complaint.hasSuffix("exchange: tenant and application are ids, or domains"))
    }

    @Test(arguments: EntraApplication.Cloud.allCases)
    func `each cloud has its name`(cloud: EntraApplication.Cloud) async throws {
        let keys = Self.complete.merging(["cloud": cloud.rawValue]) { $1 }
        #expect(try await Self.read(keys, in: Self.folder())?.cloud == cloud)
    }

    @Test func `an unknown cloud is refused with the names of all`() async throws {
        let complaint = try await Self.complaint(["cloud": "mars"])
        #expect(complaint.contains("exchange.cloud: one of "))
        for cloud in EntraApplication.Cloud.allCases { #expect(complaint.contains(cloud.rawValue)) }
    }

    @Test(arguments: ["loginURL", "exchangeURL"])
    func `the secret is sent to https URLs only`(key: String) async throws {
        for url in ["http://a.example", "a.example", "ftp://a.example", "HTTPS://a.example"] {
            let complaint = try await Self.complaint([key: "\"\(url)\""])
            #expect(complaint.hasSuffix("exchange.\(key): https://HOST[:PORT]"), "\(complaint)")
        }
        let keys = Self.complete.merging([key: "\"https://a.example:1443\""]) { $1 }
        #expect(try await Self.read(keys, in: Self.folder()) != nil)
    }

    // MARK: - The proof

    @Test func `without a secret or certificate the error names both`() async throws {
        let complaint = try await Self.complaint([:], without: "secretFile")
        #expect(complaint.hasSuffix("secretFile, or certificate and certificateKey, are needed"))
    }

    @Test func `a certificate without its key is refused`() async throws {
        let folder = try Self.folder()
        try folder.write("x", as: "a.pem")
        let complaint = try await Self.complaint(
            ["certificate": "a.pem"],
            without: "secretFile",
            in: folder
        )
        #expect(complaint.contains("certificateKey"))
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o620, 0o601])
    func `a secret that others can read is refused with the remedy`(mode: Int) async throws {
        let folder = try Self.folder()
        let path = try folder.write("s3cret", as: "secret", mode: mode)
        let complaint = try await Self.complaint([:], in: folder)
        #expect(complaint.hasSuffix("can be read by others: chmod 600 \(path)"), "\(complaint)")
    }

    @Test func `a secret that is missing or empty is named by key and path`() async throws {
        let folder = try Self.folder()
        try folder.write("", as: "secret")
        let empty = try await Self.complaint([:], in: folder)
        #expect(empty.contains("exchange.secretFile: \(folder.path("secret")) cannot be read"))
        let missing = try await Self.complaint(["secretFile": "nowhere"], in: folder)
        #expect(missing.contains("exchange.secretFile: \(folder.path("nowhere")) cannot be read"))
    }

    @Test func `an unreadable or invalid certificate is named`() async throws {
        let folder = try Self.folder()
        try folder.write("x", as: "a.key")
        let keys = ["certificate": "a.pem", "certificateKey": "a.key"]
        let missing = try await Self.complaint(keys, without: "secretFile", in: folder)
        #expect(missing.contains("exchange.certificate: a.pem cannot be read"), "\(missing)")
        try folder.write("no certificate", as: "a.pem")
        let none = try await Self.complaint(keys, without: "secretFile", in: folder)
        #expect(none.hasPrefix(folder.path("gatepost.yaml")), "\(none)")
        #expect(!none.contains("no certificate"))
    }
}
