import Cryptography
import Foundation

/// An application's certificate with its RSA key, and the client assertions that it signs
/// (RFC 7523 §3; Microsoft identity platform, certificate credentials).
package struct ClientCertificate: Sendable {
    /// The lifetime of an assertion in seconds: it is sent once, at once.
    private static let lifetime: TimeInterval = 300

    private let key: RSASigningKey
    /// The SHA-256 digest of the DER certificate.
    private let thumbprint: [UInt8]

    /// - Throws: `OnlineError` if a text is no certificate or no RSA key.
    package init(certificatePEM: String, keyPEM: String) throws(OnlineError) {
        guard let certificate = try? Certificate(pem: certificatePEM) else {
            throw OnlineError("exchange.certificate is no PEM file with a certificate")
        }
        do {
            self.key = try RSASigningKey(pem: keyPEM)
        } catch {
            throw OnlineError("exchange.certificateKey is no PEM file with an RSA key")
        }
        self.thumbprint = SHA256.digest(of: certificate.der)
    }

    /// The JOSE header (RFC 7515 §4).
    private struct Header: Encodable {
        var alg = "PS256"
        var typ = "JWT"
        var thumbprint: String

        enum CodingKeys: String, CodingKey {
            case alg
            case typ
            case thumbprint = "x5t#S256"
        }
    }

    /// The claims (RFC 7519 §4.1).
    private struct Claims: Encodable {
        var aud: String
        var iss: String
        var sub: String
        var jti: String
        var nbf: Int
        var iat: Int
        var exp: Int
    }

    /// A signed JSON Web Token with which `clientID` authenticates to `audience`.
    func assertion(clientID: String, audience: String, now: Date) throws -> String {
        let moment = Int(now.timeIntervalSince1970)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let header = try encoder.encode(Header(thumbprint: Self.base64URL(self.thumbprint)))
        let claims = try encoder.encode(
            Claims(
                aud: audience,
                iss: clientID,
                sub: clientID,
                jti: UUID().uuidString,
                nbf: moment,
                iat: moment,
                exp: moment + Int(Self.lifetime)
            )
        )
        let text = "\(Self.base64URL(header)).\(Self.base64URL(claims))"
        let signature = try self.key.signature(of: Array(text.utf8))
        return "\(text).\(Self.base64URL(signature))"
    }

    /// Base64url without padding (RFC 4648 §5).
    private static func base64URL(_ octets: some Sequence<UInt8>) -> String {
        Data(octets).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
