import Foundation
import Store
import Testing

@testable import Gateway

/// `subscribeShared` and `keepLogins` in `gatepost.yaml`.
@Suite struct SubscribeSharedTests {
    private static func configuration(_ line: String) async throws -> GatewayConfiguration {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("subscribe-\(UUID().uuidString).yaml")
        let text = """
            listen:
              imaps: "127.0.0.1:993"
            tls:
              certificates: ["a.pem"]
              keys: ["a.key"]
            store: a.sqlite
            masterKey: a.key
            \(line)

            """
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await GatewayConfiguration(file: file.path, readsEnvironment: false)
    }

    @Test(arguments: [
        ("", true), ("subscribeShared: \"on\"", true), ("subscribeShared: on", true),
        ("subscribeShared: true", true), ("subscribeShared: \"off\"", false),
        ("subscribeShared: off", false), ("subscribeShared: false", false),
    ])
    func `subscribeShared is on until it is turned off`(line: String, isOn: Bool) async throws {
        #expect(try await Self.configuration(line).subscribesShared == isOn)
    }

    @Test(arguments: ["subscribeShared: sometimes", "subscribeShared: \"\""])
    func `subscribeShared refuses any other word`(line: String) async {
        await #expect(throws: ConfigurationError.self) {
            try await Self.configuration(line)
        }
    }

    @Test(arguments: [
        ("", false), ("keepLogins: \"on\"", true), ("keepLogins: on", true),
        ("keepLogins: \"off\"", false), ("keepLogins: off", false),
    ])
    func `keepLogins is off until it is turned on`(line: String, isOn: Bool) async throws {
        let configuration = try await Self.configuration(line)
        #expect(configuration.keepsLogins == isOn)
        let store = URL(fileURLWithPath: configuration.store)
        #expect(
            configuration.keptLogins == store.deletingLastPathComponent().path + "/gatepost.logins"
        )
    }

    @Test(arguments: [
        ("/a/a.key", "/a/a.sqlite", true), ("/a/b/../a.key", "/a/a.sqlite", true),
        ("/a/a.key", "/b/a.sqlite", false), ("/a/a.key", "/a/b/a.sqlite", false),
    ])
    func `a master key in the folder of the kept logins is noticed`(
        key: String,
        store: String,
        isBeside: Bool
    ) async throws {
        var configuration = try await Self.configuration("keepLogins: on")
        #expect(configuration.keepsLoginsBesideKey)
        configuration.masterKey = key
        configuration.storeLocation = .file(path: store)
        #expect(configuration.keepsLoginsBesideKey == isBeside)
        configuration.keepsLogins = false
        #expect(!configuration.keepsLoginsBesideKey)
    }

    @Test(arguments: ["keepLogins: a day", "keepLogins: 24", "keepLogins: [on]"])
    func `keepLogins refuses any other word`(line: String) async {
        await #expect(throws: ConfigurationError.self) {
            try await Self.configuration(line)
        }
    }
}
