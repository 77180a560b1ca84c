import Foundation

@testable import Gateway

/// A certificate for `localhost`, made once for all tests.
enum DevelopmentCertificate {
    struct ScriptFailed: Error {
        let status: Int32
    }

    static let files = Result { try Self.make() }

    private static func make() throws -> CertificateFiles {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("certificate-\(UUID().uuidString)")
        let repository = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let script = Process()
        script.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        script.arguments = [
            "bash", repository.appendingPathComponent("certs/make-development-certificates").path,
            folder.path,
        ]
        script.standardOutput = FileHandle.nullDevice
        try script.run()
        script.waitUntilExit()
        guard script.terminationStatus == 0 else {
            throw ScriptFailed(status: script.terminationStatus)
        }
        return CertificateFiles(
            certificate: folder.appendingPathComponent("server.pem").path,
            key: folder.appendingPathComponent("server.key").path
        )
    }
}
