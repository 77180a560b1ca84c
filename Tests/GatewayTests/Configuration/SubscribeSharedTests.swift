import Foundation
import Testing

@testable import Gateway

/// `subscribeShared` in `gatepost.yaml`.
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
}
