import Crypto
import Foundation
import SwiftASN1
import X509

/// Certificates to try the gateway with: an authority of its own and a server's certificate for
/// this machine. The authority's key is not kept.
struct DevelopmentCertificates {
    private static let lifetime: TimeInterval = 825 * 86_400

    /// A name or an address that the certificate is for, beside `localhost` and the loopback ones.
    let host: String

    /// Writes `ca.pem`, `server.pem` and `server.key` to a new folder.
    func write(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let authorityKey = P256.Signing.PrivateKey()
        let authority = try self.authority(authorityKey)
        let serverKey = P256.Signing.PrivateKey()
        let server = try self.server(serverKey, by: authority, authorityKey: authorityKey)
        try Self.write(
            authority.serializeAsPEM().pemString,
            to: folder,
            name: "ca.pem",
            mode: 0o644
        )
        try Self.write(
            server.serializeAsPEM().pemString,
            to: folder,
            name: "server.pem",
            mode: 0o644
        )
        try Self.write(serverKey.pemRepresentation, to: folder, name: "server.key", mode: 0o600)
    }

    private static func write(_ text: String, to folder: URL, name: String, mode: Int) throws {
        let path = folder.appendingPathComponent(name).path
        guard
            FileManager.default.createFile(
                atPath: path,
                contents: Data((text + "\n").utf8),
                attributes: [.posixPermissions: mode]
            )
        else { throw Failure("\(path) cannot be written") }
    }

    private func authority(_ key: P256.Signing.PrivateKey) throws -> Certificate {
        let name = try DistinguishedName { CommonName("Gatepost development authority") }
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: .init(key.publicKey),
            notValidBefore: Date().addingTimeInterval(-3_600),
            notValidAfter: Date().addingTimeInterval(Self.lifetime),
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: .init(key)
        )
    }

    private func server(
        _ key: P256.Signing.PrivateKey,
        by authority: Certificate,
        authorityKey: P256.Signing.PrivateKey
    ) throws -> Certificate {
        try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: .init(key.publicKey),
            notValidBefore: Date().addingTimeInterval(-3_600),
            notValidAfter: Date().addingTimeInterval(Self.lifetime),
            issuer: authority.subject,
            subject: try DistinguishedName { CommonName("localhost") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(self.names)
            },
            issuerPrivateKey: .init(authorityKey)
        )
    }

    private var names: [GeneralName] {
        var names: [GeneralName] = [.dnsName("localhost")]
        for address in ["127.0.0.1", "::1", self.host] {
            if let octets = Self.octets(of: address) {
                names.append(.ipAddress(ASN1OctetString(contentBytes: octets[...])))
            } else if address != "localhost" {
                names.append(.dnsName(address))
            }
        }
        return names
    }

    /// The octets of an address; nil for a host name.
    private static func octets(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            return withUnsafeBytes(of: four) { Array($0) }
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, address, &six) == 1 {
            return withUnsafeBytes(of: six) { Array($0) }
        }
        return nil
    }
}
