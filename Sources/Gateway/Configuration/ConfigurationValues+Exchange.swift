import Configuration
import Exchange
import Foundation
import NIOCore
import Session
import Store
import SystemPackage

/// The part `exchange`: the tenant, and the application as which the gateway logs in there.
extension ConfigurationValues {
    /// The part `exchange`; nil without `exchange.tenant`.
    func exchange() throws -> EntraApplication? {
        func text(_ key: String) -> String? {
            self.reader.string(forKey: ConfigKey("exchange.\(key)")).flatMap {
                $0.isEmpty ? nil : $0
            }
        }
        guard let tenant = text("tenant") else { return nil }
        guard let clientID = text("application") else {
            throw self.wrong(
                "exchange.application",
                allowed: "the application's (client) id is needed"
            )
        }
        guard
            (tenant + clientID).utf8.allSatisfy({
                $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x2E
            })
        else { throw self.wrong("exchange", allowed: "tenant and application are ids, or domains") }
        let cloud = text("cloud") ?? EntraApplication.Cloud.worldwide.rawValue
        guard let cloud = EntraApplication.Cloud(rawValue: cloud) else {
            let names = EntraApplication.Cloud.allCases.map(\.rawValue).joined(separator: ", ")
            throw self.wrong("exchange.cloud", allowed: "one of \(names)")
        }
        for key in ["loginURL", "exchangeURL"] {
            guard let url = text(key), !url.hasPrefix("https://") else { continue }
            throw self.wrong("exchange.\(key)", allowed: "https://HOST[:PORT]")
        }
        return EntraApplication(
            tenant: tenant,
            clientID: clientID,
            proof: try self.proof(text),
            cloud: cloud,
            loginURL: text("loginURL"),
            exchangeURL: text("exchangeURL"),
            mailDomains: self.reader.stringArray(forKey: "exchange.mailDomains"),
            caFile: try text("caFile").map(self.resolved)
        )
    }

    /// The client secret or certificate of the application.
    func proof(_ text: (String) -> String?) throws -> EntraApplication.Proof {
        if let name = text("secretFile") {
            let secret = try self.secret("exchange.secretFile", name: name)
            return .secret(secret.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        guard let certificate = text("certificate"), let key = text("certificateKey") else {
            throw self.wrong(
                "exchange",
                allowed: "secretFile, or certificate and certificateKey, are needed"
            )
        }
        let file = try self.resolved(certificate)
        guard let pem = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw self.wrong("exchange.certificate", allowed: "\(certificate) cannot be read")
        }
        do {
            return .certificate(
                try ClientCertificate(
                    certificatePEM: pem,
                    keyPEM: try self.secret("exchange.certificateKey", name: key)
                )
            )
        } catch let error as OnlineError {
            throw ConfigurationError(description: "\(self.file): \(error)")
        }
    }

    /// The text of a file that only its owner may read.
    /// - Throws: ``ConfigurationError`` if it is missing, empty or readable by others.
    func secret(_ key: String, name: String) throws -> String {
        let path = try self.resolved(name)
        let mode = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        guard let mode = (mode as? NSNumber)?.intValue,
            let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty
        else { throw self.wrong(key, allowed: "\(path) cannot be read, or is empty") }
        guard mode & 0o077 == 0 else {
            throw self.wrong(key, allowed: "\(path) can be read by others: chmod 600 \(path)")
        }
        return text
    }
}
