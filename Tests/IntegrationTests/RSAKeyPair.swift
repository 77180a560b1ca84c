import Foundation

/// An RSA key that the program `openssl` creates and verifies signatures with.
struct RSAKeyPair: Sendable {
    private let folder: URL
    let pem: String

    init(in folder: URL, name: String) throws {
        self.folder = folder.appendingPathComponent("\(name)-key")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        let file = self.folder.appendingPathComponent("private.pem")
        guard Self.openssl(["genrsa", "-out", file.path, "2048"]),
            Self.openssl([
                "pkey", "-in", file.path, "-pubout", "-out",
                self.folder.appendingPathComponent("public.pem").path,
            ])
        else { throw CocoaError(.executableLoad) }
        self.pem = try String(contentsOf: file, encoding: .utf8)
    }

    /// Whether a signature is RSASSA-PSS of the text with SHA-256 and a salt of 32 octets.
    func hasSigned(_ text: String, signature: Data) -> Bool {
        let name = UUID().uuidString
        let (signed, signatureFile) = (self.path(name), self.path("\(name).signature"))
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: signed))
            try signature.write(to: URL(fileURLWithPath: signatureFile))
        } catch { return false }
        return Self.openssl([
            "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32",
            "-verify", self.path("public.pem"), "-signature", signatureFile, signed,
        ])
    }

    private func path(_ name: String) -> String {
        self.folder.appendingPathComponent(name).path
    }

    private static func openssl(_ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
