import Cryptography
import Foundation

/// Certificates for trying the gateway: a new authority, and a server certificate that it signs.
///
/// The authority's key is not kept.
struct DevelopmentCertificates {
    /// The validity in seconds: 825 days, the most that Apple's systems accept.
    private static let lifetime = 825 * 86_400

    /// A host name or address in the certificate, besides `localhost`, `127.0.0.1` and `::1`.
    let host: String

    /// Writes `ca.pem`, `server.pem` and `server.key` into a new folder.
    /// - Throws: ``Failure`` if the host cannot be in a certificate, or a file cannot be written.
    func write(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let issued = try self.issue()
        try Self.write(issued.authority, to: folder, name: "ca.pem", mode: 0o644)
        try Self.write(issued.certificate, to: folder, name: "server.pem", mode: 0o644)
        try Self.write(issued.key, to: folder, name: "server.key", mode: 0o600)
    }

    /// Creates the authority, the certificate and its key.
    ///
    /// - Throws: ``Failure`` if the host cannot be in a certificate.
    private func issue() throws -> DevelopmentAuthority.Issued {
        let names = ["localhost", "127.0.0.1", "::1"]
        do {
            return try DevelopmentAuthority(lifetime: Self.lifetime).issue(
                authorityName: "Gatepost development authority",
                names: names.contains(self.host) ? names : names + [self.host]
            )
        } catch CryptographyError.unusable(let reason) {
            throw Failure("\(reason): use a host name or an address for --host")
        }
    }

    /// Writes a new file with these permission bits.
    ///
    /// - Throws: ``Failure`` if the file cannot be created.
    private static func write(_ text: String, to folder: URL, name: String, mode: Int) throws {
        let path = folder.appendingPathComponent(name).path
        guard
            FileManager.default.createFile(
                atPath: path,
                contents: Data(text.utf8),
                attributes: [.posixPermissions: mode]
            )
        else { throw Failure("cannot write \(path): check the permissions of its folder") }
    }
}
