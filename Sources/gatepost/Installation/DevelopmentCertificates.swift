import Cryptography
import Foundation

/// Certificates to try the gateway with: an authority of its own and a server's certificate for
/// this machine. The authority's key is not kept.
struct DevelopmentCertificates {
    private static let lifetime = 825 * 86_400

    /// A name or an address that the certificate is for, beside `localhost` and the loopback ones.
    let host: String

    /// Writes `ca.pem`, `server.pem` and `server.key` to a new folder.
    func write(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let issued = try self.issue()
        try Self.write(issued.authority, to: folder, name: "ca.pem", mode: 0o644)
        try Self.write(issued.certificate, to: folder, name: "server.pem", mode: 0o644)
        try Self.write(issued.key, to: folder, name: "server.key", mode: 0o600)
    }

    private func issue() throws -> DevelopmentAuthority.Issued {
        let names = ["localhost", "127.0.0.1", "::1"]
        do {
            return try DevelopmentAuthority(lifetime: Self.lifetime).issue(
                authorityName: "Gatepost development authority",
                names: names.contains(self.host) ? names : names + [self.host]
            )
        } catch CryptographyError.unusable(let reason) {
            throw Failure("\(reason): give a host name or an address with --host")
        }
    }

    private static func write(_ text: String, to folder: URL, name: String, mode: Int) throws {
        let path = folder.appendingPathComponent(name).path
        guard
            FileManager.default.createFile(
                atPath: path,
                contents: Data(text.utf8),
                attributes: [.posixPermissions: mode]
            )
        else { throw Failure("\(path) cannot be written") }
    }
}
