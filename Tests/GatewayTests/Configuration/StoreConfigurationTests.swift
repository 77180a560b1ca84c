import Foundation
import Store
import Support
import Testing

@testable import Gateway

/// The keys `store`, `node` and `state`.
@Suite struct StoreConfigurationTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func read(_ lines: String, mode: Int = 0o600) async throws -> StoreLocation {
        let file = try self.folder.write(
            """
            listen:
              imaps: "127.0.0.1:9993"
            tls:
              certificates: ["server.pem"]
              keys: ["server.key"]
            masterKey: master.key
            \(lines)
            """,
            as: "gatepost.yaml",
            mode: mode
        )
        return try await GatewayConfiguration(file: file, readsEnvironment: false).storeLocation
    }

    private func refusal(_ lines: String, mode: Int = 0o600) async -> String {
        do {
            _ = try await self.read(lines, mode: mode)
            return "(not refused)"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a path is a file, and a URL is a database`() async throws {
        #expect(try await self.read("store: a.sqlite") == .file(path: self.folder.path("a.sqlite")))
        let url = "postgresql://gatepost@db.kanzlei.example/mail?passfile=/x"
        let location = try await self.read("store: \(url)\nnode: mail1\nstate: /var/lib/gatepost")
        let server = PostgreSQLServer(url: url, node: "mail1", state: "/var/lib/gatepost")
        #expect(location == .postgreSQL(server))
        #expect(location.path == "/var/lib/gatepost/gatepost")
    }

    @Test func `a database has a node and a folder without further keys`() async throws {
        guard case .postgreSQL(let server) = try await self.read("store: postgres:///mail") else {
            Issue.record("it is a file")
            return
        }
        #expect(!server.node.isEmpty)
        #expect(server.state == self.folder.url.standardizedFileURL.path)
    }

    @Test(arguments: [
        ("store: a.sqlite\nnode: one", "only together with the URL"),
        ("store: a.sqlite\nstate: /var", "only together with the URL"),
        ("store: postgresql:///mail\nnode: \"a b\"", "1 to 64 letters"),
        ("store: postgresql:///mail\nnode: \"\"", "1 to 64 letters"),
        ("store: \"\"", "the path of a file is needed"),
    ])
    func `a wrong value is refused with what is allowed`(lines: String, says: String) async {
        #expect(await self.refusal(lines).contains(says))
    }

    @Test(arguments: [
        "postgresql://gate:geheim@127.0.0.1/mail", "postgresql:///mail?user=gate&password=geheim",
    ])
    func `a password in a file that everybody may read is refused`(url: String) async {
        let text = await self.refusal("store: \(url)", mode: 0o644)
        #expect(text.contains("chmod o=") && !text.contains("geheim"))
        #expect(await self.refusal("store: \(url)", mode: 0o640) == "(not refused)")
        let harmless = "store: postgresql://gate@127.0.0.1:5432/mail"
        #expect(await self.refusal(harmless, mode: 0o644) == "(not refused)")
    }
}
