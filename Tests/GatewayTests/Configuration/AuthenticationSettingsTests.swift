import Access
import Foundation
import Support
import Testing

@testable import Gateway

/// `authentication` in `gatepost.yaml`.
@Suite struct AuthenticationSettingsTests {
    static func read(_ lines: String) async throws -> AuthenticationSettings {
        let folder = try TemporaryFolder()
        let file = folder.path("gatepost.yaml")
        let text = """
            listen:
              imaps: "127.0.0.1:1993"
            tls:
              certificates: [c.pem]
              keys: [k.pem]
            store: store.sqlite
            masterKey: master.key
            \(lines)
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return try await GatewayConfiguration(file: file, readsEnvironment: false).authentication
    }

    @Test func `without the key, passwords in the store verify every login`() async throws {
        let settings = try await Self.read("")
        #expect(settings.sources == [.gateway] && settings.domains.isEmpty)
        #expect(settings.directory == nil && settings.issuers.isEmpty)
        #expect(settings.sources(for: Array("anna@kanzlei.example".utf8)) == [.gateway])
        #expect(!settings.learns)
    }

    @Test func `the domain of a login chooses its sources`() async throws {
        let settings = try await Self.read(
            """
            authentication:
              sources: [gateway]
              domains: ["Kanzlei.example upstream", "a.test upstream gateway"]
              learn: "on"
            """
        )
        func sources(_ login: String) -> [AuthenticationSourceName] {
            settings.sources(for: Array(login.utf8))
        }
        #expect(sources("anna@KANZLEI.example") == [.upstream])
        #expect(sources("anna@a.test") == [.upstream, .gateway])
        #expect(sources("anna@b.a.test") == [.gateway])
        #expect(sources("kanzlei.example") == [.gateway])
        #expect(sources("kanzlei.example@") == [.gateway])
        #expect(sources("anna@kanzlei.example@b.test") == [.gateway])
        #expect(settings.learns)
    }

    @Test(arguments: [
        (
            "sources: [ldpa]",
            "authentication.sources: at least one of gateway, upstream, ldap, oauth, each once"
        ),
        (
            "sources: []",
            "authentication.sources: at least one of gateway, upstream, ldap, oauth, each once"
        ),
        ("sources: [gateway, gateway]", "each once"),
        ("domains: [\"kanzlei.example\"]", "a domain and its sources in each entry"),
        ("domains: [\"a..b upstream\"]", "a domain and its sources in each entry"),
        ("domains: [\"a.test upstream\", \"A.test gateway\"]", "each domain once"),
        ("domains: [\"a.test none\"]", "at least one of gateway, upstream, ldap, oauth, each once"),
        ("learn: \"on\"", "off, unless upstream is one of the sources"),
        (
            "lern: \"on\"",
            "unknown key authentication.lern: the nearest key is authentication.learn"
        ),
    ])
    func `a wrong value is refused with a remedy`(line: String, message: String) async throws {
        let error = await #expect(throws: ConfigurationError.self) {
            try await Self.read("authentication:\n  \(line)")
        }
        #expect(error?.description.contains(message) ?? false, "\(error?.description ?? "")")
    }
}
