import Foundation
import TLS

/// Certificates for the tests, created by `openssl` in a folder that is removed with this object.
final class Certificates: Sendable {
    /// One folder for all tests: each certificate is created once and then only read.
    static let shared = Result { try Certificates() }

    let folder: URL
    let authority: String
    let stranger: String
    let mail: TLSCertificateFiles
    let wildcard: TLSCertificateFiles
    let address: TLSCertificateFiles
    let commonNameOnly: TLSCertificateFiles
    let expired: TLSCertificateFiles
    let selfSigned: TLSCertificateFiles
    let fromStranger: TLSCertificateFiles
    let partialWildcard: TLSCertificateFiles

    struct CommandFailed: Error {
        let arguments: [String]
    }

    private init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.folder = folder
        let forge = Forge(folder: folder)
        try forge.authority("authority")
        try forge.authority("stranger")
        self.authority = forge.path("authority.pem")
        self.stranger = forge.path("stranger.pem")
        self.mail = try forge.certificate("mail", names: "DNS:mail.kanzlei.example")
        self.wildcard = try forge.certificate("wildcard", names: "DNS:*.praxis.example")
        self.address = try forge.certificate("address", names: "IP:192.0.2.7,IP:2001:db8::7")
        self.commonNameOnly = try forge.certificate("mail.cn.example", names: nil)
        self.expired = try forge.certificate("expired", names: "DNS:mail.kanzlei.example", days: -1)
        self.selfSigned = try forge.certificate(
            "self",
            names: "DNS:mail.kanzlei.example",
            issuer: nil
        )
        self.fromStranger = try forge.certificate(
            "foreign",
            names: "DNS:mail.kanzlei.example",
            issuer: "stranger"
        )
        self.partialWildcard = try forge.certificate("partial", names: "DNS:m*.partial.example")
    }
}

/// Creates keys and certificates in a folder.
struct Forge {
    let folder: URL

    func path(_ name: String) -> String {
        self.folder.appendingPathComponent(name).path
    }

    func authority(_ name: String) throws {
        try self.openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-days", "30", "-subj", "/CN=\(name)"]
                + ["-keyout", self.path("\(name).key"), "-out", self.path("\(name).pem")]
        )
    }

    /// - Parameter issuer: the authority that signs; nil for a self-signed certificate.
    func certificate(
        _ name: String,
        names: String?,
        days: Int = 30,
        issuer: String? = "authority"
    ) throws -> TLSCertificateFiles {
        let key = self.path("\(name).key")
        let certificate = self.path("\(name).pem")
        let extensions = self.path("\(name).ext")
        try Data((names.map { "subjectAltName=\($0)\n" } ?? "keyUsage=digitalSignature\n").utf8)
            .write(to: URL(fileURLWithPath: extensions))
        try self.openssl(
            ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-subj", "/CN=\(name)", "-keyout", key, "-out", self.path("\(name).csr")]
        )
        let signer =
            issuer.map { ["-CA", self.path("\($0).pem"), "-CAkey", self.path("\($0).key")] }
            ?? ["-signkey", key]
        try self.openssl(
            ["x509", "-req", "-in", self.path("\(name).csr"), "-days", "\(days)"] + signer
                + ["-extfile", extensions, "-out", certificate]
        )
        return TLSCertificateFiles(certificate: certificate, key: key)
    }

    func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Certificates.CommandFailed(arguments: arguments)
        }
    }
}
